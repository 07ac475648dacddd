"""Tests of PostgreSQL URLs from hosting companies, poolers and libpq: each option is honoured, or ignored with a message."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from doorward.settings import SettingsError, load
from doorward.settings.checks import database_problem
from doorward.storage.postgres.connect import Connector
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.postgres.url_words import BadWord, understood, with_words

BASE = "postgresql://me:s3same@db.example:5432/people"

# As shown in the consoles of hosting companies and in the guides of poolers and drivers.
HOSTED = [
    "sslmode=require&channel_binding=require",
    "sslmode=require&channel_binding=require&connect_timeout=15&application_name=x",
    "sslmode=require&options=endpoint%3Dep-cool-darkness-123456",
    "sslmode=verify-full&sslrootcert=system&sslnegotiation=direct",
    "sslmode=verify-full&options=--cluster%3Dgold-1",
    "pgbouncer=true&connection_limit=1&pool_timeout=20",
    "sslmode=require&supa=base-pooler.x",
    "sslmode=require&pgbouncer=true&connect_timeout=10&schema=public&sslaccept=strict",
    "sslmode=no-verify",
    "ssl=true&keepalives=1&keepalives_idle=30&tcp_user_timeout=5000&load_balance_hosts=random",
    "sslmode=prefer&gssencmode=disable&sslcompression=0&fallback_application_name=psql&client_encoding=UTF8",
    "sslmode=require&",
    "sslmode=",
]


@pytest.mark.parametrize("words", HOSTED)
def test_a_hosted_url_is_accepted_and_gives_a_connector(words: str) -> None:
    url = f"{BASE}?{words}"
    assert database_problem(url) is None
    Connector(url, PostgresOptions())
    known = {"sslmode", "sslnegotiation", "options", "application_name", "search_path"}
    # nothing else may reach the server, which refuses unknown settings
    assert understood(url).settings <= known


def test_system_roots_check_the_certificate_and_the_name() -> None:
    words = understood(f"{BASE}?sslmode=require&sslrootcert=system&sslnegotiation=direct")
    assert words.url == f"{BASE}?sslmode=verify-full&sslnegotiation=direct"
    connector = Connector(f"{BASE}?sslrootcert=system", PostgresOptions())
    context = connector._arguments["ssl"]
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("written", "mode", "system"),
    [
        ("sslmode=require&channel_binding=require", "verify-full", True),
        ("channel_binding=require", "verify-full", True),
        ("sslmode=require&channel_binding=require&sslrootcert=/ca.pem", "verify-full", False),
        ("sslmode=verify-ca&channel_binding=require&sslrootcert=/ca.pem", "verify-ca", False),
        ("sslmode=require&channel_binding=prefer", "require", False),
    ],
)
def test_an_unavailable_channel_binding_still_requires_a_checked_certificate(
    written: str, mode: str, system: bool
) -> None:
    words = understood(f"{BASE}?{written}")
    assert f"sslmode={mode}" in words.url
    assert words.system_roots is system
    assert "channel_binding" not in words.url
    assert any("channel_binding" in note for note in words.notes) is system


def test_options_for_poolers_are_honoured() -> None:
    for word in (
        "pgbouncer=true",
        "statement_cache_size=0",
        "prepareThreshold=0",
        "prepared_statements=false",
    ):
        options = with_words(PostgresOptions(), understood(f"{BASE}?{word}"))
        assert options.prepared_statements is False
    plain = with_words(PostgresOptions(), understood(f"{BASE}?pgbouncer=false"))
    assert plain.prepared_statements is True


@pytest.mark.parametrize(("written", "seconds"), [("7", 7), ("0", 5), ("-1", 5), ("99999999999999", 5)])
def test_the_connect_timeout_of_the_url_is_used_where_possible(written: str, seconds: int) -> None:
    words = understood(f"{BASE}?connect_timeout={written}")
    assert with_words(PostgresOptions(), words).connect_timeout == seconds
    assert "connect_timeout" not in words.url
    assert bool(words.notes) is (written != "7")


def test_server_settings_of_the_url_override_ours() -> None:
    connector = Connector(f"{BASE}?application_name=mine&statement_timeout=1", PostgresOptions())
    assert "application_name" not in connector._arguments["server_settings"]
    assert "statement_timeout" not in connector._arguments["server_settings"]
    assert "jit" in connector._arguments["server_settings"]


def test_options_of_other_drivers_for_schema_and_encryption_are_honoured() -> None:
    assert understood(f"{BASE}?schema=auth").url == f"{BASE}?search_path=auth"
    assert understood(f"{BASE}?currentSchema=public").url == BASE
    assert understood(f"{BASE}?ssl=true").url == f"{BASE}?sslmode=require"
    assert understood(f"{BASE}?sslaccept=strict").system_roots
    assert understood("postgresql:///people?hostaddr=127.0.0.1").url == "postgresql:///people?host=127.0.0.1"


@pytest.mark.parametrize(
    ("written", "mode", "system"),
    [
        ("sslmode=require&sslaccept=strict", "verify-full", True),
        ("sslmode=prefer&sslaccept=strict", "verify-full", True),
        ("sslmode=require&sslaccept=strict&sslrootcert=/ca.pem", "verify-full", False),
        ("sslmode=require&sslaccept=accept_invalid_certs", "require", False),
        ("ssl=require", "require", False),
        ("ssl=verify-full", "verify-full", False),
        ("ssl=yes", "require", False),
        ("ssl=no-verify", "require", False),
        ("sslmode=prefer&ssl=true", "require", False),
        ("sslmode=verify-full&ssl=true", "verify-full", False),
        ("sslmode=allow&requiressl=1", "require", False),
        ("sslmode=prefer&ssl=false", "prefer", False),
    ],
)
def test_the_strictest_of_several_encryption_options_is_used(written: str, mode: str, system: bool) -> None:
    """docs/incidents/0039-a-strict-word-beside-a-weaker-one.md"""
    words = understood(f"{BASE}?{written}")
    assert f"sslmode={mode}" in words.url
    assert words.system_roots is system


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("ssl=s3same", "none of true, false"),
        ("sslaccept=s3same", "none of strict"),
        ("requiressl=s3same", "none of 0, 1"),
        ("sslmod=require", "Did you mean sslmode?"),
        ("sslMode=require", "Did you mean sslmode?"),
        ("channelbinding=require", "Did you mean channel_binding?"),
        ("sslmode=s3same", "none of disable"),
        ("channel_binding=s3same", "none of disable"),
        ("sslnegotiation=direct&sslmode=prefer", "needs sslmode=require"),
        ("require_auth=scram-sha-256", "require_auth"),
        ("sslcrldir=/x", "sslcrl"),
        ("gssencmode=require", "GSSAPI"),
        ("connect_timeout=s3same", "no number"),
        ("ssl_min_protocol_version=SSLv3", "none of TLSv1"),
        ("sslmode=verify-full&sslrootcert=/none/ca.pem", "there is no such file"),
        ("target_session_attrs=master", "none of any"),
    ],
)
def test_options_that_would_fail_or_weaken_trust_are_refused(written: str, told: str) -> None:
    problem = database_problem(f"{BASE}?{written}")
    assert problem is not None
    assert told in problem
    assert "s3same" not in problem
    with pytest.raises(SettingsError, match="database"):
        load(None, {"DOORWARD_ISSUER": "http://127.0.0.1:9000", "DOORWARD_DATABASE_URL": f"{BASE}?{written}"})


@pytest.mark.parametrize(
    "name", ["lock_timeout", "idle_session_timeout", "TimeZone", "work_mem", "role", "tcp_keepalives_idle"]
)
def test_settings_of_the_server_itself_are_passed_on(name: str) -> None:
    assert understood(f"{BASE}?{name}=1").url == f"{BASE}?{name}=1"


def test_an_existing_certificate_file_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    assert database_problem(f"{BASE}?sslmode=verify-ca&sslrootcert={tmp_path}/ca.pem") is None


def test_too_many_options_are_no_url() -> None:
    with pytest.raises(BadWord, match="more words"):
        understood(f"{BASE}?" + "&".join(f"a{n}=1" for n in range(200)))
    assert database_problem(f"{BASE}?" + "&".join(f"a{n}=1" for n in range(200))) is not None
