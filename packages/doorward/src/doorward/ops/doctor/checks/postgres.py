"""Checks of PostgreSQL, in their order. Part of `doctor`; changes nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any, Final

from doorward.adapters.clock import SystemClock
from doorward.core.model.finding import Finding, failed, passed
from doorward.core.web_origin import loopback
from doorward.ops.doctor.check import Check
from doorward.ops.doctor.checks.audit import audit_months
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
# The rights that the server's statements need; a role that creates and changes tables needs the schema too.
_LACKING: Final = """
SELECT string_agg(c.relname, ', ' ORDER BY c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname = current_schema()
  AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
           AND (c.relname IN ('audit', 'schema_migrations') OR has_table_privilege(c.oid, 'UPDATE')))"""
_OTHERS: Final = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
_PROCESSES: Final = "SELECT count(*) FROM nodes WHERE expires_at > $1 AND id NOT LIKE 'doubted %'"
_DURABLE: Final = ("fsync", "full_page_writes")
_STANDBYS: Final = """
SELECT count(*), count(sync_state), count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')),
  (SELECT count(*) FROM pg_stat_activity WHERE usename = session_user AND wait_event = 'SyncRep'
     AND query_start < clock_timestamp() - interval '1 second')
FROM pg_stat_replication"""


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
        yield Check.of("database rights", await _rights(connection))
        yield Check.of("database clock", await _clock(connection))
        yield Check.of("database connections", await _connections(connection, settings))
        yield Check.of("database durability", await _durability(connection))
        yield Check.of("standby", await _standby(connection))
        if (months := await audit_months(connection, settings)) is not None:
            yield Check.of("audit record", months)
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


async def _rights(connection: Any) -> Finding:
    """Whether the role can read, write and migrate, and has not far more rights than that."""
    user: str = await connection.fetchval("SELECT current_user::text")
    lacking: str | None = await connection.fetchval(_LACKING)
    if lacking:
        return failed(
            f"{user} may not read and write {lacking}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}",
        )
    if await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        return passed(
            f"{user} is a superuser, and may do far more than this server needs",
            "Make a role of its own that owns this database alone.",
        )
    if not await connection.fetchval("SELECT has_schema_privilege(current_schema(), 'CREATE')"):
        if await connection.fetchval("SELECT to_regclass('schema_migrations') IS NULL"):
            return failed(
                f"{user} may make no tables, and there are none: the first start would fail",
                f"GRANT CREATE ON SCHEMA public TO {user}, or let doorward migrate be run by who may.",
            )
        return passed(f"{user} may make no tables: run doorward migrate as their owner before an update")
    return passed(f"{user} may read, write and migrate")


async def _connections(connection: Any, settings: Settings) -> Finding:
    """Whether the running processes may open as many connections as they need."""
    most = int(await connection.fetchval("SHOW max_connections"))
    kept = int(await connection.fetchval("SHOW superuser_reserved_connections"))
    there = await connection.fetchval("SELECT to_regclass('nodes') IS NOT NULL")
    running = int(await connection.fetchval(_PROCESSES, SystemClock().now())) if there else 0
    processes = max(running, settings.server.workers)
    # each process: its pool, and one connection for notifications
    wanted = processes * (settings.postgres.pool_size + 1)
    open_now = int(await connection.fetchval(_OTHERS))
    said = f"{processes} process{'es' if processes > 1 else ''} may open {wanted} of {most - kept}; {open_now} are open now"
    if wanted > most - kept:
        return failed(
            f"{said}: under load some requests hear 503",
            "Raise max_connections, lower postgres.pool_size, or put PgBouncer in between.",
        )
    return passed(said)


async def _durability(connection: Any) -> Finding:
    """Whether an answered commit is on the disk."""
    settings = {key: await connection.fetchval(f"SHOW {key}") for key in (*_DURABLE, "synchronous_commit")}
    off = [key for key in settings if settings[key] == "off"]
    if off:
        return failed(
            f"{', '.join(off)} = off: a power cut forgets what was answered, and a spent token is unspent",
            f"Set {off[0]} = on.",
        )
    isolation: str = await connection.fetchval("SHOW default_transaction_isolation")
    return passed(f"synchronous_commit = {settings['synchronous_commit']}, isolation {isolation}")


async def _standby(connection: Any) -> Finding:
    """Whether a standby has every answered commit, and whether commits wait for a standby that is away."""
    synchronous: str = await connection.fetchval("SHOW synchronous_standby_names")
    standbys, told, waited_for, waiting = await connection.fetchrow(_STANDBYS)
    # only some roles may see whether it is the configured standby; every role sees the state of its own commits
    missing = not standbys or (told == standbys and not waited_for)
    if synchronous and (missing or waiting):
        now = f"{waiting} wait right now" if waiting else "every commit waits for it"
        there = "that is none of those connected" if standbys else "none is connected"
        return failed(
            f'{there}, and synchronous_standby_names = "{synchronous}": {now}, and whoever writes hears 503'
            if missing
            else f'synchronous_standby_names = "{synchronous}", and it does not confirm: {now}, and whoever writes hears 503',
            "Start the standby, or empty synchronous_standby_names until it is back.",
        )
    if synchronous:
        return passed(f"{standbys} connected; commits wait for {synchronous}")
    if not standbys:
        return passed("none: what this database loses is in the backup alone")
    return passed(
        f"{standbys} connected, and no commit waits for it: a failover forgets the last moments. Spent refresh tokens are unspent,"
        " revocations and new passwords are lost",
        "Set synchronous_standby_names, with two standbys if writing must go on when one is away.",
    )


def _without(url: str, text: str) -> str:
    """The driver's message in one line, without the password that some of its messages repeat."""
    before, at, _ = url.partition("://")[2].rpartition("@")
    secret = before.partition(":")[2] if at else ""
    said = " ".join(text.split())[:300]
    return said.replace(secret, "***") if secret else said
