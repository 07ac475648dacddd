"""Tests of the database and cache settings: accepted forms, messages for mistakes, and a password that is never shown."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from doorward.settings import SettingsError, load
from doorward.settings.checks import cache_problem, database_problem
from doorward.storage.postgres.url import DatabaseUrl, each_host, is_postgres, shown

HOME = {"DOORWARD_ISSUER": "http://127.0.0.1:9000"}
URL = "postgresql://doorward:s3same%2F@db.example:5432/people?sslmode=require"


@pytest.mark.parametrize("name", ["DOORWARD_DATABASE_URL", "DOORWARD_DATABASE"])
def test_postgresql_is_named_by_its_url(name: str) -> None:
    settings = load(None, HOME | {name: URL})
    assert isinstance(settings.database, DatabaseUrl)
    assert settings.database.reveal() == URL
    assert settings.postgres.pool_size == 8


def test_the_connections_are_settings(tmp_path: Path) -> None:
    path = tmp_path / "doorward.toml"
    path.write_text(
        f'issuer = "http://127.0.0.1:9000"\ndatabase = "{URL}"\n[postgres]\npool_size = 3\nprepared_statements = false\n'
    )
    settings = load(path, {"DOORWARD_POSTGRES__POOL_WAIT": "2"})
    assert (settings.postgres.pool_size, settings.postgres.pool_wait) == (3, 2)
    assert settings.postgres.prepared_statements is False
    # there is no database file that the key could be beside
    assert settings.secret_key_path == str(tmp_path / "doorward.key")


def test_the_url_can_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(f"{URL}\n")
    settings = load(None, HOME | {"DOORWARD_DATABASE_URL_FILE": str(file)})
    assert isinstance(settings.database, DatabaseUrl)
    assert settings.database.reveal() == URL


def test_two_names_for_one_setting_are_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        load(None, HOME | {"DOORWARD_DATABASE_URL": URL, "DOORWARD_DATABASE": "people.db"})
    assert caught.value.problems == (
        "DOORWARD_DATABASE and DOORWARD_DATABASE_URL are both set; keep one of them.",
    )
    assert "s3same" not in str(caught.value)


def test_the_password_is_never_printed(caplog: pytest.LogCaptureFixture) -> None:
    settings = load(None, HOME | {"DOORWARD_DATABASE_URL": URL})
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("%s %r", settings.database, settings)
    printed = [
        str(settings.database),
        repr(settings.database),
        f"{settings.database} {settings.database!r} {settings.database:>90}",
        repr(settings),
        "{}".format(settings.database),  # noqa: UP032 - the other way to print
        caplog.text,
    ]
    assert all("s3same" not in text for text in printed)
    assert str(settings.database) == "postgresql://doorward:***@db.example:5432/people?sslmode=require"


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgresql://h/db", "postgresql://h/db"),
        ("postgresql://me@h/db", "postgresql://me@h/db"),
        ("postgres://me:pa@ss@h1:1,h2:2/db", "postgres://me:***@h1:1,h2:2/db"),
        ("postgresql://me:p/a?s#s@h/db", "postgresql://me:***@h/db"),
        ("postgresql:///db?user=me&password=secret&host=/run", "postgresql:///db?user=me&password=***&host=/run"),
        ("POSTGRESQL://me:secret@h/db", "POSTGRESQL://me:***@h/db"),
        ("postgresql://me@h:5432/db?password=se@cret", "postgresql://me@h:5432/db?password=***"),
        ("postgresql://h:5432/db?x=1&password=se@cret&y=2", "postgresql://h:5432/db?x=1&password=***&y=2"),
        ("postgresql://h:5432/db?pass%77ord=secret", "postgresql://h:5432/db?pass%77ord=***"),
        ("postgresql://h:5432/db?sslpassword=s:e@c", "postgresql://h:5432/db?sslpassword=***"),
        ("postgresql://me:12?password=x@h/db", "postgresql://me:***?password=***"),
        ("postgresql://me:p/q?a@h/db?PASSWORD=z&ssl=1", "postgresql://me:***@h/db?PASSWORD=***&ssl=1"),
        ("people.db", "people.db"),
    ],
)  # fmt: skip
def test_a_url_is_shown_without_its_password(url: str, seen: str) -> None:
    assert shown(url) == seen


def test_a_url_may_name_several_servers() -> None:
    assert each_host("postgresql://me:a,b@h1:1,[::1]:2,h3/db?x=1") == [
        "postgresql://me:a,b@h1:1/db?x=1",
        "postgresql://me:a,b@[::1]:2/db?x=1",
        "postgresql://me:a,b@h3/db?x=1",
    ]
    assert each_host("postgresql:///db?host=/run") == ["postgresql:///db?host=/run"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("postgresql+asyncpg://u@h/d", "write postgresql://user@host/database"),
        ("postgressql://u:s3same@h/d", "write postgresql://user@host/database"),
        ("postgres:/u:s3same@h/d", "has no //"),
        ("postgresql://u:s3same@h", "names no database"),
        ("postgresql://u:s3same@h/", "names no database"),
        ("postgresql://u:s3/same@h/d", "unescaped"),
        ("postgresql://u:33/same@h/d", "unescaped"),
        ("postgresql://u:s#same@h/d", "unescaped"),
        ("postgresql://u:s3same@h:port/d", "port is no number"),
        ("mysql://u:s3same@h/d", "or postgresql://user@host/database"),
        ("", "or postgresql://user@host/database"),
        ("sqlite://same.db", "three slashes"),
        ("sqlite://same/doorward.db", "three slashes"),
        ("sqlite:///", "names no file"),
        ("host=h port=5432 dbname=d user=u password=s3same", "write postgresql://user@host/database"),
        (" password = s3same host=h", "write postgresql://user@host/database"),
    ],
)
def test_a_mistake_is_reported_with_the_right_form_and_without_the_password(written: str, told: str) -> None:
    problem = database_problem(written)
    assert problem is not None
    assert told in problem
    assert "same" not in problem
    with pytest.raises(SettingsError) as caught:
        load(None, HOME | {"DOORWARD_DATABASE_URL": written})
    assert "same" not in json.dumps(caught.value.problems)


@pytest.mark.parametrize(
    "written",
    ["postgresql://h1,h2/d", "postgresql://h1:1,h2:2/d", "postgresql:///d?host=/run", "postgresql://u@/?dbname=d", URL],
)  # fmt: skip
def test_urls_of_the_client_library_are_accepted(written: str) -> None:
    assert database_problem(written) is None
    assert is_postgres(written)


@pytest.mark.parametrize(
    "url",
    [
        "valkey://:s3same@h/0?socket_timeout=same",
        "valkey://:s3same@h/0?max_connections=same",
        "valkey://:s3same@h/0?decode_responses=no",
        "unix:///run/valkey?db=same",
        "valkeys://:s3same@h/0?ssl_cert_reqs=same",
    ],
)
def test_a_cache_url_that_would_stop_the_server_is_reported_before_the_start(url: str) -> None:
    problem = cache_problem(url)
    assert problem is not None
    assert "same" not in problem


@pytest.mark.parametrize(
    "url",
    ["unix:///run/valkey.sock?db=2", "valkeys://u:p@h/1?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=required"],
)
def test_options_that_the_cache_client_needs_are_accepted(url: str) -> None:
    assert cache_problem(url) is None


def test_a_missing_cache_client_is_reported_with_the_extra_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "valkey", None)
    assert load(None, HOME).cache is None
    with pytest.raises(SettingsError) as caught:
        load(None, HOME | {"DOORWARD_CACHE_URL": "valkey://:s3same@127.0.0.1/0"})
    assert "DOORWARD_CACHE_URL" in str(caught.value)
    assert "pip install 'doorward[valkey]'" in str(caught.value)
    assert "s3same" not in str(caught.value)
