"""What can be wrong with an installation, and how is each mended? Every check answers; none of them changes anything."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from doorward.cli.tools import Check
from doorward.outside.breached import BadBreachList, open_list
from doorward.outside.clock import SystemClock
from doorward.outside.smtp import MailDelayed, SmtpSender, SmtpServer
from doorward.ports.store import StoreUnavailable
from doorward.settings import Settings
from doorward.settings.checks import loopback
from doorward.stores.sql.sqlite import open_sqlite
from doorward.workshop.examine_keys import key_encryption_key, signing_keys

# Nobody runs this program before it was written.
_EARLIEST = 1_760_000_000
_DAY = 86_400


async def examine(settings: Settings) -> list[Check]:
    """All checks, in the order in which things depend on one another."""
    checks = [
        Check(
            "settings",
            True,
            f"read from {settings.source}" if settings.source else "read from the environment",
        ),
        _issuer(settings),
        _clock(),
        await key_encryption_key(settings),
    ]
    checks += [check async for check in _database(settings)]
    checks.append(await _mail(settings))
    checks.append(_breach_list(settings))
    checks.append(await _port(settings))
    return checks


def _issuer(settings: Settings) -> Check:
    issuer = settings.issuer
    if issuer.startswith("https://"):
        return Check("issuer", True, f"{issuer}: cookies are __Host- and Secure")
    if settings.development:
        return Check("issuer", True, f"{issuer}: development, cookies without Secure")
    return Check(
        "issuer",
        False,
        f"{issuer} is plain http on this machine: nobody else can sign in, and cookies are not Secure",
        "Set issuer to the https address that people use, or development = true.",
    )


def _clock() -> Check:
    now = SystemClock().now()
    if now < _EARLIEST:
        return Check("clock", False, "the machine's clock is in the past", "Set it, and let NTP keep it.")
    return Check("clock", True, "plausible")


async def _database(settings: Settings) -> AsyncIterator[Check]:
    path = Path(settings.database)
    absent = _absent(path)
    if absent is not None:
        yield absent
        return
    try:
        store = await open_sqlite(path, migrate=False)
    except StoreUnavailable as problem:
        yield Check("database", False, str(problem), "Check the path, its rights, and the disk.")
        return
    try:
        ready = await store.ready()
        mode = _mode(path)
        journal = await asyncio.to_thread(_journal_mode, path)
        if not ready:
            yield Check(
                "database", False, f"{path} has another schema than this program's", "doorward migrate"
            )
            return
        if mode & 0o077:
            yield Check(
                "database", False, f"{path} can be read by others (mode {mode:04o})", f"chmod 600 {path}"
            )
        else:
            yield Check(
                "database", True, f"{path}, SQLite {sqlite3.sqlite_version}, {journal}, mode {mode:04o}"
            )
        yield await signing_keys(settings, store)
    except StoreUnavailable as problem:
        yield Check("database", False, str(problem), "Check the path, its rights, and the disk.")
    finally:
        await store.close()


def _absent(path: Path) -> Check | None:
    if path.exists():
        return None
    folder = path.parent
    if folder.exists() and not os.access(folder, os.W_OK):
        return Check(
            "database", False, f"{folder} cannot be written", f"Let the server's user write to {folder}."
        )
    return Check("database", True, f"{path} will be made at the first start")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _journal_mode(path: Path) -> str:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        mode: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()
    return mode.upper()


async def _mail(settings: Settings) -> Check:
    mail = settings.mail
    if mail.host is None:
        if settings.development:
            return Check("mail", True, f"kept in the outbox: {settings.issuer}/_dev/outbox")
        return Check(
            "mail",
            False,
            "no mail server: mail stays in the outbox, so nobody can sign up or reset a password",
            "Set mail.host and mail.sender.",
        )
    server = SmtpServer(
        host=mail.host,
        sender=mail.sender or "",
        port=mail.port,
        user=mail.user,
        password=mail.password,
        tls=mail.tls,
        timeout=mail.timeout,
    )
    try:
        await SmtpSender(server).probe()
    except MailDelayed as problem:
        return Check(
            "mail", False, f"{mail.host}: {problem}", "Check mail.host, mail.port, mail.tls and the password."
        )
    if mail.tls == "none" and not loopback(mail.host):
        return Check(
            "mail", False, f"{mail.host} answers, but codes travel unencrypted", 'Set mail.tls = "starttls".'
        )
    return Check("mail", True, f"{mail.host} answers ({mail.tls})")


def _breach_list(settings: Settings) -> Check:
    path = settings.passwords.breached_list
    if path is None:
        return Check("breach list", True, "the built-in list of the most common passwords")
    try:
        opened = open_list(path)
    except (BadBreachList, OSError) as problem:
        return Check(
            "breach list", False, str(problem), "See passwords.breached_list in docs/reference/settings.md."
        )
    if opened is not None:
        opened.close()
    return Check("breach list", True, path)


async def _port(settings: Settings) -> Check:
    host, port = settings.server.host, settings.port
    if await asyncio.to_thread(_free, host, port):
        proxied = urlsplit(settings.issuer).port != port and not loopback(urlsplit(settings.issuer).hostname)
        said = f"{host}:{port} is free" + (", for a proxy in front" if proxied else "")
        return Check("port", True, said)
    scheme = "https" if settings.server.tls_cert else "http"
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    path = urlsplit(settings.issuer).path
    url = (
        f"{scheme}://{f'[{shown}]' if ':' in shown else shown}:{port}{path}/.well-known/openid-configuration"
    )
    # our own port, whose certificate bears the public name and not this one
    async with httpx2.AsyncClient(timeout=5, trust_env=False, verify=False) as client:
        try:
            answered: object = (await client.get(url)).json()
        except (httpx2.HTTPError, ValueError):
            answered = None
    issuer: object = answered.get("issuer") if isinstance(answered, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if issuer == settings.issuer:
        return Check("port", True, f"{host}:{port}: this server runs there")
    said = f"{host}:{port} is taken by something else"
    if isinstance(issuer, str):
        said = f"{host}:{port} answers as {issuer}, not as {settings.issuer}"
    return Check("port", False, said, "Stop it, or choose another server.port.")


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
