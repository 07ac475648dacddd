"""Tests that every accepted value works where it is used, and that every other is reported before the start."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import inspect

from doorward.adapters.hashing.argon2 import Argon2Hasher
from doorward.adapters.mail.smtp import compose
from doorward.core.model.mailbox import sender_of
from doorward.core.model.message import EmailMessage
from doorward.core.model.policy import LONGEST
from doorward.settings import Settings, SettingsError, load
from doorward.settings.load import known_settings

HOME = {"DOORWARD_ISSUER": "http://127.0.0.1:9000"}
NOW = 1_800_000_000


def told(environ: dict[str, str], path: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(path, HOME | environ)
    return "\n".join(caught.value.problems)


def file(folder: Path, raw: bytes) -> Path:
    path = folder / "doorward.toml"
    path.write_bytes(raw)
    return path


def largest(kind: inspect.Type) -> int | None:
    if isinstance(kind, inspect.UnionType):
        return max((largest(part) or 0 for part in kind.types), default=0) or None
    return kind.le if isinstance(kind, inspect.IntType) else None


NUMBERS = [
    name
    for name, setting in known_settings().items()
    if isinstance(setting.type, inspect.IntType)
    or (
        isinstance(setting.type, inspect.UnionType)
        and any(isinstance(p, inspect.IntType) for p in setting.type.types)
    )
]


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_has_a_usable_maximum(name: str) -> None:
    most = largest(known_settings()[name].type)
    assert most is not None
    assert most <= LONGEST
    variable = "DOORWARD_" + name.upper().replace(".", "__")
    assert "it can be" in told({variable: str(10**20)})


def test_the_longest_time_is_a_date_and_fits_both_databases() -> None:
    assert datetime.fromtimestamp(NOW + 2 * LONGEST, UTC).year < 3000
    assert NOW + 2 * LONGEST < 2**63


def test_the_most_expensive_hashing_can_be_constructed() -> None:
    # constructing it creates the decoy of today's cost; nothing is hashed
    most = {name: largest(known_settings()[f"passwords.{name}"].type) for name in ("iterations", "lanes")}
    settings = load(None, HOME | {f"DOORWARD_PASSWORDS__{k.upper()}": str(v) for k, v in most.items()})
    Argon2Hasher(settings.passwords).close()


SENDERS = [
    ("no-reply@example.com", "", "no-reply@example.com"),
    ("Acme, Inc. <a@example.com>", "Acme, Inc.", "a@example.com"),
    ('"Acme, Inc." <a@example.com>', "Acme, Inc.", "a@example.com"),
    ('"The \\"Big\\" One" <a@example.com>', 'The "Big" One', "a@example.com"),
    ("Åsa (Support); Team: <a@bücher.example>", "Åsa (Support); Team:", "a@xn--bcher-kva.example"),
    ("<a@example.com>", "", "a@example.com"),
    ("مرحبا <a@example.com>", "مرحبا", "a@example.com"),
]


@pytest.mark.parametrize(("written", "name", "address"), SENDERS)
def test_an_accepted_sender_can_send(written: str, name: str, address: str) -> None:
    settings = load(
        None, HOME | {"DOORWARD_MAIL__HOST": "smtp.example.com", "DOORWARD_MAIL__SENDER": written}
    )
    message = EmailMessage(subject="s", text="t", html="<p>t</p>")
    mime = compose(settings.mail.sender or "", "ada@example.com", message, mail_id="mai_1", at=NOW)
    (sender,) = mime["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (name, address)
    assert mime.as_bytes().count(b"From:") == 1


@pytest.mark.parametrize(
    "written",
    ["Acme", "Acme <a>", "a@b@c.example", "a b@example.com", "Acme <a@example.com> x", "A\nBcc: x@y.example <a@example.com>", "ä@example.com", "A <a@example.com", "a,b@example.com", "@example.com", "a@"],
)  # fmt: skip
def test_a_sender_that_cannot_send_is_reported(written: str) -> None:
    assert "mail.sender" in told({"DOORWARD_MAIL__HOST": "h", "DOORWARD_MAIL__SENDER": written})
    with pytest.raises(ValueError, match=r"that|the part|can come from"):
        sender_of(written)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MAIL__HOST", "smtp.example.com:587", "mail.port"),
        ("MAIL__HOST", "smtp://smtp.example.com", "name or address alone"),
        ("MAIL__HOST", "smtp example.com", "without spaces"),
        ("SERVER__HOST", "0.0.0.0:8000", "server.port"),
        ("METRICS__HOST", "http://127.0.0.1", "name or address alone"),
        ("BRAND__NAME", "Acme\nInc", "line break"),
    ],
)
def test_a_host_must_be_a_host_and_a_name_one_line(name: str, value: str, said: str) -> None:
    problem = told({f"DOORWARD_{name}": value, "DOORWARD_MAIL__SENDER": "a@example.com"})
    assert said in problem


@pytest.mark.parametrize("host", ["::1", "127.0.0.1", "localhost", "unix:/run/x.sock"])
def test_these_hosts_are_accepted(host: str) -> None:
    assert load(None, HOME | {"DOORWARD_SERVER__HOST": host}).server.host == host


TOML = 'issuer = "https://auth.example.com"\n[brand]\nname = "Bücher"\n'


@pytest.mark.parametrize(
    "raw",
    [TOML.encode(), codecs.BOM_UTF8 + TOML.encode(), TOML.replace("\n", "\r\n").encode(), codecs.BOM_UTF8 + TOML.replace("\n", "\r\n").encode()],
)  # fmt: skip
def test_a_file_from_any_editor_is_read(tmp_path: Path, raw: bytes) -> None:
    assert load(file(tmp_path, raw), {}).brand.name == "Bücher"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (TOML.encode("utf-16"), "UTF-16"),
        (TOML.encode("utf-16-le"), "UTF-16"),
        (TOML.encode("utf-16-be"), "UTF-16"),
        (TOML.encode("latin-1"), "not UTF-8 (line 3)"),
        (TOML.encode() + b"\0", "zero byte"),
    ],
)
def test_a_file_in_another_encoding_is_reported_by_its_name(tmp_path: Path, raw: bytes, said: str) -> None:
    problem = told({}, file(tmp_path, raw))
    assert said in problem
    assert str(tmp_path) in problem


def test_a_value_in_a_file_may_have_a_byte_order_mark_and_spaces(tmp_path: Path) -> None:
    url = "postgresql://me@db.example/people"
    for raw in (f"{url} \n".encode(), codecs.BOM_UTF8 + f"{url}\r\n".encode(), f"\t{url}\n\n".encode()):
        (tmp_path / "url").write_bytes(raw)
        settings = load(None, HOME | {"DOORWARD_DATABASE_URL_FILE": str(tmp_path / "url")})
        assert str(settings.database) == url
    (tmp_path / "url").write_bytes(url.encode("utf-16"))
    assert "UTF-16" in told({"DOORWARD_DATABASE_URL_FILE": str(tmp_path / "url")})


def test_a_secret_in_a_file_keeps_its_spaces_and_loses_the_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "pw").write_bytes(codecs.BOM_UTF8 + b" s3same \r\n")
    mail = {"DOORWARD_MAIL__HOST": "h", "DOORWARD_MAIL__SENDER": "a@example.com", "DOORWARD_MAIL__USER": "u"}
    for variable in ("DOORWARD_MAIL__PASSWORD_FILE",):
        password = load(None, HOME | mail | {variable: str(tmp_path / "pw")}).mail.password
        assert password is not None
        assert password.reveal() == " s3same "
    (tmp_path / "pw").write_bytes(b"\n")
    assert "is empty" in told({**mail, "DOORWARD_MAIL__PASSWORD_FILE": str(tmp_path / "pw")})


def database(folder: Path, written: str) -> str:
    path = file(folder, f'issuer = "https://auth.example.com"\ndatabase = "{written}"\n'.encode())
    return str(load(path, {}).database)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("sqlite:///a#b.db", "a#b.db"),
        ("sqlite:///a?b.db", "a?b.db"),
        ("sqlite:///a%23b.db", "a#b.db"),
        ("sqlite:///a.db?mode=rwc&timeout=5", "a.db"),
        ("a#b.db", "a#b.db"),
        (" people.db ", "people.db"),
    ],
)
def test_the_named_database_file_is_the_one_that_is_opened(tmp_path: Path, written: str, name: str) -> None:
    assert database(tmp_path, written) == str(tmp_path / name)


@pytest.mark.parametrize(
    ("written", "old", "new"),
    [("sqlite:///a#b.db", "a", "a#b.db"), ("people.db ", "people.db ", "people.db")],
)
def test_an_existing_database_at_the_older_versions_path_is_reported(
    tmp_path: Path, written: str, old: str, new: str
) -> None:
    (tmp_path / old).write_bytes(b"")
    with pytest.raises(SettingsError, match="rename that file"):
        database(tmp_path, written)
    (tmp_path / old).rename(tmp_path / new)
    assert database(tmp_path, written) == str(tmp_path / new)


KUBERNETES = {
    "DOORWARD_SERVICE_HOST": "10.96.3.4",
    "DOORWARD_SERVICE_PORT": "80",
    "DOORWARD_SERVICE_PORT_HTTP": "80",
    "DOORWARD_PORT": "tcp://10.96.3.4:80",
    "DOORWARD_PORT_80_TCP": "tcp://10.96.3.4:80",
    "DOORWARD_PORT_80_TCP_ADDR": "10.96.3.4",
    "DOORWARD_PORT_80_TCP_PORT": "80",
    "DOORWARD_PORT_80_TCP_PROTO": "tcp",
    "DOORWARD_POSTGRESQL_SERVICE_HOST": "fd00::1",
    "DOORWARD_POSTGRESQL_SERVICE_PORT": "5432",
    "DOORWARD_POSTGRESQL_SERVICE_PORT_TCP_POSTGRESQL": "5432",
    "DOORWARD_POSTGRESQL_PORT": "tcp://[fd00::1]:5432",
    "DOORWARD_POSTGRESQL_PORT_5432_TCP": "tcp://[fd00::1]:5432",
    "DOORWARD_POSTGRESQL_PORT_5432_TCP_ADDR": "fd00::1",
    "DOORWARD_VALKEY_HEADLESS_PORT_53_UDP_PROTO": "udp",
}


def test_variables_of_kubernetes_services_do_not_stop_the_start() -> None:
    assert load(None, HOME | KUBERNETES) == load(None, HOME)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DOORWARD_PORT", "8080"),
        ("DOORWARD_SERVER_PORT", "8000"),
        ("DOORWARD_MAIL_SERVICE_HOST", "smtp.example.com"),
    ],
)
def test_a_mistake_that_resembles_such_a_variable_is_reported(variable: str, value: str) -> None:
    assert "there is no such setting" in told({variable: value})


def test_load_returns_settings() -> None:
    assert isinstance(load(None, HOME), Settings)
