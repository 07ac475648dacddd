"""What can be wrong with an installation, and how is each mended? Every check answers; none of them changes anything."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from doorward.adapters.clock import SystemClock
from doorward.adapters.hashing.breached_list import BadBreachList, open_list
from doorward.core.ports.store import StoreUnavailable
from doorward.ops.doctor.check import Check
from doorward.ops.doctor.checks import (
    clocks as examine_clocks,
)
from doorward.ops.doctor.checks import (
    front as examine_front,
)
from doorward.ops.doctor.checks import (
    machine as examine_machine,
)
from doorward.ops.doctor.checks import (
    sqlite as examine_sqlite,
)
from doorward.ops.doctor.checks.addresses import addresses
from doorward.ops.doctor.checks.apps import apps
from doorward.ops.doctor.checks.backup import last_backup
from doorward.ops.doctor.checks.cache import cache
from doorward.ops.doctor.checks.calls import authorities, mailed, told
from doorward.ops.doctor.checks.keys import key_encryption_key, signing_keys
from doorward.ops.doctor.checks.mail import mail, test_mail
from doorward.ops.doctor.checks.names import names
from doorward.settings import Settings, SettingsError, load
from doorward.storage.postgres.url import is_postgres
from doorward.storage.sql.database_state import NotServed, admit
from doorward.storage.sql.open import open_store


async def diagnose(
    config: Path | None, *, quick: bool = False, mail_to: str | None = None
) -> Sequence[Check]:
    """Everything that `examine` finds; with `quick` only whether the server that runs here is ready, with `mail_to` only whether a test
    mail is taken. Settings that cannot be read are the first and only finding."""
    try:
        settings = load(config, os.environ)
    except SettingsError as error:
        return [Check("settings", False, problem) for problem in error.problems]
    if mail_to is not None:
        return [await test_mail(settings, mail_to)]
    return await (glance if quick else examine)(settings)


async def examine(settings: Settings) -> list[Check]:
    """All checks, in the order in which things depend on one another. One with `ok` and a `fix` is a warning."""
    said = f"read from {settings.source}" if settings.source else "read from the environment"
    looks: list[tuple[str, Callable[[], Check | Awaitable[Check | None] | None]]] = [
        ("issuer", lambda: examine_front.issuer(settings)),
        ("certificate", lambda: asyncio.to_thread(examine_front.certificate, settings)),
        ("proxies", lambda: examine_front.proxies(settings)),
        ("clock", examine_machine.clock),
        ("workers", lambda: examine_machine.workers(settings)),
        ("open files", lambda: examine_machine.files(settings)),
        ("secret key", lambda: key_encryption_key(settings)),
    ]
    later: list[tuple[str, Callable[[], Check | Awaitable[Check | None] | None]]] = [
        ("cache", lambda: cache(settings)),
        ("authorities", lambda: asyncio.to_thread(authorities, settings)),
        ("mail", lambda: mail(settings)),
        ("breach list", lambda: asyncio.to_thread(_breach_list, settings)),
        ("port", lambda: examine_front.port(settings)),
    ]
    checks: list[Check | None] = [Check("settings", True, said)]
    checks += [await _looked(name, look) for name, look in looks]
    try:
        checks += [check async for check in _database(settings)]
    except (OSError, sqlite3.Error) as problem:
        checks.append(_unseen("database", problem))
    checks += [await _looked(name, look) for name, look in later]
    return [check for check in checks if check is not None]


async def _looked(name: str, look: Callable[[], Check | Awaitable[Check | None] | None]) -> Check | None:
    """What it finds; where this user may not look, that, and the others are made all the same."""
    try:
        found = look()
        return await found if isinstance(found, Awaitable) else found
    except OSError as problem:
        return _unseen(name, problem)


def _unseen(name: str, problem: OSError | sqlite3.Error) -> Check:
    where = getattr(problem, "filename", None) or "it"
    why = getattr(problem, "strerror", None) or str(problem)
    fix = "Run the doctor as the server's user, as in: sudo -u doorward doorward doctor"
    return Check(name, False, f"{where} cannot be looked at: {why}", fix)


async def glance(settings: Settings) -> list[Check]:
    """Whether the server that runs here is ready: for what asks every few seconds."""
    return [await examine_front.ready(settings)]


async def _database(settings: Settings) -> AsyncIterator[Check]:
    database = str.__str__(settings.database)
    if is_postgres(database):
        # the client library is not loaded where there is only a file
        from doorward.ops.doctor.checks.postgres import postgres

        async for check in postgres(settings):
            yield check
            if check.name == "schema" or (check.name == "database" and not check.ok):
                return
    else:
        path = Path(database)
        first = await asyncio.to_thread(examine_sqlite.absent, path)
        yield await asyncio.to_thread(examine_sqlite.disk, path)
        if first is not None:
            yield first
            return
    async for check in _contents(settings, database):
        yield check


async def _contents(settings: Settings, database: str) -> AsyncIterator[Check]:
    fix = "Check the address, its rights, and the disk."
    try:
        store = await open_store(database, migrate=False, postgres=settings.postgres)
    except StoreUnavailable as problem:
        yield Check("database", False, str(problem), fix)
        return
    try:
        await admit(store.meta, where=str(settings.database))
        if not await store.ready():
            said = f"{settings.database} has another schema than this program's"
            yield Check("schema", False, said, "doorward migrate")
            return
        yield Check("schema", True, "this program's")
        if not is_postgres(database):
            yield await asyncio.to_thread(examine_sqlite.found, Path(database))
        yield await examine_clocks.servers(store, SystemClock().now())
        yield await signing_keys(settings, store)
        if (seen := await addresses(settings, store)) is not None:
            yield seen
        yield await apps(store)
        yield await names(store)
        yield await told(store)
        yield await mailed(store)
        yield await last_backup(store, now=SystemClock().now(), development=settings.development)
    except NotServed as problem:
        yield Check("database", False, problem.error, problem.fix)
    except StoreUnavailable as problem:
        yield Check("database", False, str(problem), fix)
    finally:
        await store.close()


def _breach_list(settings: Settings) -> Check:
    path = settings.passwords.breached_list
    if path is None:
        return Check("breach list", True, "the built-in list of the most common passwords")
    try:
        opened = open_list(path)
    except (BadBreachList, OSError) as problem:
        fix = "Correct the file that passwords.breached_list names, or leave the setting out for the built-in list."
        return Check("breach list", False, str(problem), fix)
    if opened is not None:
        opened.close()
    return Check("breach list", True, path)
