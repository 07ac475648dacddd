"""Checks of PostgreSQL in their order, with those of the server, the connection to it, and its clock. Part of `doctor`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any, Final

from doorward.adapters.clock import SystemClock
from doorward.core.web_origin import loopback
from doorward.ops.doctor.check import Check, Finding, failed, passed
from doorward.ops.doctor.checks.audit import audit_record
from doorward.ops.doctor.checks.postgres_connections import connections
from doorward.ops.doctor.checks.postgres_durability import durability, standby
from doorward.ops.doctor.checks.postgres_rights import rights
from doorward.settings import Settings
from doorward.storage.postgres.connect import Connector
from doorward.storage.postgres.remedy import remedy
from doorward.storage.postgres.url import shown
from doorward.storage.postgres.url_words import understood, with_words

_OLDEST: Final = 14
_SKEW_SECONDS: Final = 2.0
_SLOW_MS: Final = 20.0
_POOLER_FIX: Final = "Set postgres.prepared_statements = false."
_POOLER_SAID: Final = "A pooler in transaction mode stands in between."


async def postgres(settings: Settings) -> AsyncIterator[Check]:
    """All checks of the database server: rights, clock, connections, and durability at a failover.

    A URL that cannot be reached is one check, and the last.
    """
    url = str.__str__(settings.database)
    where = shown(url)
    if notes := understood(url).notes:
        yield Check("database URL", True, "; ".join(notes))
    try:
        connection: Any = await Connector(url, settings.postgres).connect()
    except Exception as problem:  # noqa: BLE001 - whatever the driver, the resolver or TLS says
        said = _without(url, str(problem) or type(problem).__name__)
        fix = remedy(problem)
        if "unsupported startup parameter" in said:
            fix = f"{_POOLER_SAID} {_POOLER_FIX}"
        yield Check("database", False, f"{where} cannot be reached: {said}", fix)
        return
    try:
        yield Check.of("database", await _server(connection, where))
        if "PostgreSQL" not in await connection.fetchval("SELECT version()"):
            return
        yield Check.of("database way", _way(connection))
        yield Check.of("pooler", await _pooler(connection, settings))
        yield Check.of("database rights", await rights(connection))
        yield Check.of("database clock", await _clock(connection))
        yield Check.of("database connections", await connections(connection, settings))
        yield Check.of("database durability", await durability(connection))
        yield Check.of("standby", await standby(connection))
        if (record := await audit_record(connection, settings)) is not None:
            yield Check.of("audit record", record)
        if await connection.fetchval("SELECT to_regclass('schema_migrations') IS NULL"):
            yield Check("schema", True, "made at the first start")
    except Exception as problem:  # noqa: BLE001 - see above
        yield Check("database", False, f"{where}: {_without(url, str(problem))}", "Look into its log.")
    finally:
        connection.terminate()


async def _server(connection: Any, where: str) -> Finding:
    version: str = await connection.fetchval("SHOW server_version")
    began = time.perf_counter()
    await connection.fetchval("SELECT 1")
    took = (time.perf_counter() - began) * 1000
    said = f"{where}, PostgreSQL {version}, {took:.1f} ms away"
    major = version.partition(".")[0]
    if major.isdigit() and int(major) < _OLDEST:
        return failed(f"{said}: older than what this server was tried with", f"Update to {_OLDEST} or later.")
    encoding: str = await connection.fetchval("SHOW server_encoding")
    if encoding.upper() not in {"UTF8", "UTF-8"}:
        return failed(
            f"{said}: its encoding {encoding} cannot hold every name",
            "Make another one: createdb --encoding=UTF8 --template=template0",
        )
    return passed(said, "Put it nearer: a sign-in asks it often." if took > _SLOW_MS else "")


def _way(connection: Any) -> Finding:
    transport: Any = connection._transport
    peer: Any = transport.get_extra_info("peername")
    # a Unix socket has no host
    host = None if isinstance(peer, str | bytes | None) else str(peer[0])
    tls: Any = transport.get_extra_info("ssl_object")
    return way(host, encrypted=tls is not None, named=tls is not None and tls.context.check_hostname)


def way(host: str | None, *, encrypted: bool, named: bool) -> Finding:
    """Protection of the connection: an attacker who can change its traffic can change who is signed in as whom. `named`: whether
    the certificate must be for the host in the URL."""
    if encrypted and named:
        return passed("encrypted, to the host that the URL names")
    if host is None or loopback(host):
        return passed("stays on this machine")
    said = f"encrypted to {host}, whoever that is: its name is not compared" if encrypted else None
    return passed(
        said or f"not encrypted all the way to {host}",
        "Put ?sslmode=verify-full into the URL (with sslrootcert=… for a CA of your own).",
    )


async def _pooler(connection: Any, settings: Settings) -> Finding:
    """Whether there is a pooler between: it then reports another backend number than the one in the cancel key (PgBouncer's
    cancel keys are its own)."""
    between = connection.get_server_pid() != await connection.fetchval("SELECT pg_backend_pid()")
    if not between:
        return passed("none: connected to PostgreSQL itself")
    words = understood(str.__str__(settings.database))
    if with_words(settings.postgres, words).prepared_statements:
        return failed(
            "a pooler stands in between, and statements are prepared on connections that others get",
            _POOLER_FIX,
        )
    return passed(
        "a pooler stands in between: what another node changed is looked for every 150 ms instead of announced"
    )


async def _clock(connection: Any) -> Finding:
    clock = SystemClock()
    before = clock.now()
    theirs = float(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8"))
    after = clock.now() + 1
    # ours is in whole seconds: the time between the two readings is no difference
    apart = max(0.0, before - theirs, theirs - after)
    if apart > _SKEW_SECONDS:
        return failed(
            f"{apart:.0f} s apart from this machine's",
            "Let NTP keep both; tokens are about seconds, and nodes must agree.",
        )
    return passed("agrees with this machine's")


def _without(url: str, text: str) -> str:
    """The driver's message in one line, without the password that some of its messages repeat."""
    before, at, _ = url.partition("://")[2].rpartition("@")
    secret = before.partition(":")[2] if at else ""
    said = " ".join(text.split())[:300]
    return said.replace(secret, "***") if secret else said
