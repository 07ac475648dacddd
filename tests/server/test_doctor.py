"""Tests of `doorward doctor`: each fault is found, with its fix."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message, Sink

from doorward.adapters.os_user import os_actor
from doorward.cli.run import opened
from doorward.core.model.client import Client, Pkce
from doorward.features.admin import build as admin
from doorward.ops.doctor.check import Check
from doorward.ops.doctor.doctor import diagnose
from doorward.server.sockets import bind
from doorward.storage.sqlite.database import open_sqlite
from tests import ports
from tests.features.oauth.clients.weak_keys import ROCA, rsa_jwk
from tests.server.conftest import Serve


@pytest.fixture
def folder(tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("DOORWARD_")]:
        monkeypatch.delenv(name)
    return write(tmp_path, f'issuer = "http://127.0.0.1:{free_port}"\ndevelopment = true\n')


def write(folder: Path, text: str) -> Path:
    (folder / "doorward.toml").write_text(text)
    return folder


def examined(folder: Path) -> dict[str, Check]:
    checks = asyncio.run(diagnose(folder / "doorward.toml"))
    assert all(check.ok or check.fix for check in checks if check.name != "settings")
    return {check.name: check for check in checks}


def test_a_fresh_development_house_has_no_findings(folder: Path) -> None:
    checks = examined(folder)
    assert all(check.ok for check in checks.values()), checks
    assert set(checks) == {
        "settings",
        "authorities",
        "issuer",
        "proxies",
        "clock",
        "workers",
        "open files",
        "secret key",
        "disk",
        "database",
        "mail",
        "breach list",
        "port",
    }
    assert not (folder / "doorward.db").exists()
    assert not (folder / "doorward.key").exists()


def test_a_running_server_is_recognised_by_its_issuer(serve: Serve, tmp_path: Path) -> None:
    serve().ready()
    checks = examined(tmp_path)
    assert all(check.ok for check in checks.values()), checks
    assert "this server runs there" in checks["port"].said
    assert "ES256" in checks["signing keys"].said
    assert "WAL" in checks["database"].said


@pytest.mark.requirement(101)
def test_apps_without_pkce_and_nonce_are_named(folder: Path) -> None:
    async def register() -> None:
        async with opened(folder / "doorward.toml") as container:
            services = container.services
            chosen: dict[str, Pkce] = {"shop": "or_nonce", "my blog": "optional"}
            for name, pkce in chosen.items():
                draft = Client(
                    id="",
                    name=name,
                    auth_method="client_secret_basic",
                    created_at=0,
                    redirect_uris=("https://app.example.com/cb",),
                    pkce=pkce,
                )
                await services.get(admin.apps).create(os_actor(), draft, kind="web")

    asyncio.run(register())
    check = examined(folder)["apps"]
    assert check.ok
    assert "my blog" in check.said
    assert "shop" not in check.said
    assert "doorward app set 'my blog' --pkce or_nonce" in check.fix


@pytest.mark.requirement(49)
def test_an_app_with_a_factorable_key_is_found(folder: Path) -> None:
    async def register() -> None:
        store = await open_sqlite(folder / "doorward.db")
        card = Client(
            id="app_card",
            name="card reader",
            auth_method="private_key_jwt",
            created_at=0,
            jwks={"keys": [rsa_jwk(ROCA)]},
        )
        await store.commit(store.registry.put_client(card))
        await store.close()

    asyncio.run(register())
    check = examined(folder)["apps"]
    assert not check.ok
    assert "card reader" in check.said
    assert "ROCA" in check.said
    assert "doorward app set 'card reader' --jwks" in check.fix


def test_files_that_others_can_read_are_found(serve: Serve, tmp_path: Path) -> None:
    serve().ready().stop()
    (tmp_path / "doorward.db").chmod(0o644)
    (tmp_path / "doorward.key").chmod(0o640)
    checks = examined(tmp_path)
    assert checks["database"].fix == f"chmod 600 {tmp_path / 'doorward.db'}"
    assert checks["secret key"].fix == f"chmod 600 {tmp_path / 'doorward.key'}"


def test_a_foreign_secret_key_is_found(serve: Serve, tmp_path: Path) -> None:
    serve().ready().stop()
    (tmp_path / "doorward.key").write_text("A" * 43 + "=\n")
    assert "wrapped under another key" in examined(tmp_path)["signing keys"].said
    (tmp_path / "doorward.key").write_text("nonsense")
    assert "openssl rand" in examined(tmp_path)["secret key"].fix


def test_plain_http_without_development_is_found(folder: Path, free_port: int) -> None:
    write(folder, f'issuer = "http://127.0.0.1:{free_port}"\n')
    checks = examined(folder)
    assert "https" in checks["issuer"].fix
    assert "outbox" in checks["mail"].said
    assert not checks["mail"].ok


def test_a_database_of_another_program_is_found(folder: Path) -> None:
    (folder / "doorward.db").write_bytes(b"not a database at all, but long enough to look at" * 50)
    assert not examined(folder)["database"].ok


def test_the_mail_server_is_tried(folder: Path) -> None:
    port = ports.free_port()
    text = (folder / "doorward.toml").read_text()
    settings = f'[mail]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nsender = "a@b.example"\n'
    write(folder, f"{text}{settings}")
    down = examined(folder)["mail"]
    assert not down.ok
    server = Controller(Sink(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        assert examined(folder)["mail"].ok
    finally:
        server.stop()


def test_a_breach_list_is_opened(folder: Path) -> None:
    text = (folder / "doorward.toml").read_text()
    write(folder, f'{text}[passwords]\nbreached_list = "list.txt"\n')
    (folder / "list.txt").write_text("this is no hash\n")
    assert not examined(folder)["breach list"].ok
    (folder / "list.txt").write_text("0" * 40 + "\n")
    assert examined(folder)["breach list"].ok


class Other(BaseHTTPRequestHandler):
    """Another HTTP server on our port."""

    issuer: str | None = None
    unready = False

    def do_GET(self) -> None:
        said = {"error": "temporarily_unavailable"} if self.unready else ["nothing"]
        body = json.dumps({"issuer": self.issuer} if self.issuer else said).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


@pytest.fixture
def other(free_port: int) -> Iterator[type[Other]]:
    server = HTTPServer(("127.0.0.1", free_port), Other)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield Other
    server.shutdown()
    thread.join()
    server.server_close()
    Other.issuer, Other.unready = None, False


def test_another_server_on_the_port_is_found(folder: Path, other: type[Other]) -> None:
    assert "taken by something else" in examined(folder)["port"].said
    other.issuer = "https://other.example"
    assert "answers as https://other.example" in examined(folder)["port"].said
    other.issuer, other.unready = None, True
    assert "not ready" in examined(folder)["port"].said


def test_a_server_that_is_starting_is_not_called_something_else(folder: Path, free_port: int) -> None:
    """It has taken its port, and does not listen yet."""
    with bind("127.0.0.1", free_port):
        found = examined(folder)["port"]
    assert "refuses connections: a doorward server that is starting, or another program" in found.said


def test_settings_that_cannot_be_read_are_the_only_finding(folder: Path) -> None:
    write(folder, 'isuer = "x"\n')
    checks = asyncio.run(diagnose(folder / "doorward.toml"))
    assert [check.name for check in checks] == ["settings"]
    assert "Did you mean issuer?" in checks[0].said


class Kept(Message):
    """A mail server that stores its mails, or refuses the recipient."""

    def __init__(self, *, refuses: bool = False) -> None:
        super().__init__()
        self.refuses = refuses
        self.mails: list[EmailMessage] = []

    def handle_message(self, message: Any) -> None:
        self.mails.append(message)

    async def handle_RCPT(  # noqa: N802 - the mail server calls it by the command
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.refuses:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"


def tried(folder: Path, port: int, to: str) -> Check:
    issuer = (folder / "doorward.toml").read_text().splitlines()[0]
    write(
        folder,
        f'{issuer}\n[mail]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nsender = "Acme, Inc. <a@example.com>"\n',
    )
    (check,) = asyncio.run(diagnose(folder / "doorward.toml", mail_to=to))
    return check


@pytest.mark.parametrize("refuses", [False, True])
def test_a_test_mail_is_sent_on_request_and_the_answer_is_reported(folder: Path, refuses: bool) -> None:
    inbox = Kept(refuses=refuses)
    running = Controller(inbox, hostname="127.0.0.1", port=ports.free_port())
    running.start()
    try:
        check = tried(folder, running.port, " Ada@Example.com ")
    finally:
        running.stop()
    assert check.ok is not refuses
    if refuses:
        assert "550" in check.said
        assert inbox.mails == []
        assert check.fix
        return
    assert "ada@example.com and said: OK" in check.said
    (mail,) = inbox.mails
    assert mail["To"] == "ada@example.com"
    assert mail["From"] == '"Acme, Inc." <a@example.com>'


def test_a_test_mail_that_cannot_be_sent_is_reported_with_the_reason(folder: Path) -> None:
    closed = ports.free_port()
    assert "no mail server at 127.0.0.1" in tried(folder, closed, "ada@example.com").said
    assert "is no e-mail address" in tried(folder, closed, "ada").said
    (check,) = asyncio.run(
        diagnose(write(folder, 'issuer = "http://127.0.0.1:9"\n') / "doorward.toml", mail_to="a@b.example")
    )
    assert not check.ok
    assert "mail.host" in check.fix
