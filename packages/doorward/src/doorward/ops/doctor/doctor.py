"""All checks of `doorward doctor`, in order. Every check reports, and none changes anything."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from doorward.adapters.clock import SystemClock
from doorward.adapters.hashing.breached_list import BadBreachList, open_list
from doorward.core.errors import StoreUnavailable
from doorward.core.model.finding import Finding, failed, passed
from doorward.features.feature import Examined
from doorward.features.index import FEATURES
from doorward.ops.doctor.check import Check
from doorward.ops.doctor.checks import clocks, front, machine, sqlite
from doorward.ops.doctor.checks.addresses import addresses
from doorward.ops.doctor.checks.apps import apps
from doorward.ops.doctor.checks.backup import last_backup
from doorward.ops.doctor.checks.cache import cache
from doorward.ops.doctor.checks.calls import authorities, mailed, told
from doorward.ops.doctor.checks.certificate import certificate
from doorward.ops.doctor.checks.connections import connections
from doorward.ops.doctor.checks.directories import directories
from doorward.ops.doctor.checks.keys import key_encryption_key, signing_keys
from doorward.ops.doctor.checks.mail import mail, test_mail
from doorward.ops.doctor.checks.names import names
from doorward.ops.doctor.checks.port import port, ready
from doorward.ops.doctor.checks.providers import providers
from doorward.ops.doctor.checks.trusted_issuers import issuers
from doorward.settings import Settings, SettingsError, load
from doorward.storage.postgres.url import is_postgres
from doorward.storage.sql.database_state import NotServed, admit
from doorward.storage.sql.open import open_store


async def diagnose(
    config: Path | None, *, quick: bool = False, mail_to: str | None = None
) -> Sequence[Check]:
    """The findings of `examine`; with `quick` only whether the server that runs here is ready, for health checks every few
    seconds; with `mail_to` only whether a test mail is accepted. Settings that cannot be read are the first and only finding."""
    try:
        settings = load(config, os.environ)
    except SettingsError as error:
        return [Check("settings", False, problem) for problem in error.problems]
    if mail_to is not None:
        return [Check.of("test mail", await test_mail(settings, mail_to))]
    if quick:
        return [Check.of("ready", await ready(settings))]
    return await examine(settings)


async def examine(settings: Settings) -> list[Check]:
    """All checks, ordered by their dependencies. One with `ok` and a `fix` is a warning."""
    said = f"read from {settings.source}" if settings.source else "read from the environment"
    checks = [Check("settings", True, said)]
    checks += [check async for check in _looked(_BEFORE, settings)]
    try:
        checks += [check async for check in _database(settings)]
    except (OSError, sqlite3.Error) as problem:
        checks.append(_unseen("database", problem))
    return checks + [check async for check in _looked(_AFTER, settings)]


async def _looked(looks: _Looks, settings: Settings) -> AsyncIterator[Check]:
    """The findings of checks; a missing permission is a finding, and the other checks still run."""
    for name, look in looks.items():
        try:
            found = look(settings)
            if isinstance(found, Awaitable):
                found = await found
        except OSError as problem:
            yield _unseen(name, problem)
        else:
            if found is not None:
                yield Check.of(name, found)


def _unseen(name: str, problem: OSError | sqlite3.Error) -> Check:
    where = getattr(problem, "filename", None) or "it"
    why = getattr(problem, "strerror", None) or str(problem)
    fix = "Run the doctor as the server's user, as in: sudo -u doorward doorward doctor"
    return Check(name, False, f"{where} cannot be looked at: {why}", fix)


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
        first = sqlite.absent(path)
        yield Check.of("disk", sqlite.disk(path))
        if first is not None:
            yield Check.of("database", first)
            return
    async for check in _contents(settings, database):
        yield check


async def _contents(settings: Settings, database: str) -> AsyncIterator[Check]:
    fix, now = "Check the address, its rights, and the disk.", SystemClock().now()
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
            yield Check.of("database", sqlite.found(Path(database)))
        yield Check.of("server clocks", await clocks.servers(store, now))
        yield Check.of("signing keys", await signing_keys(settings, store))
        if (seen := await addresses(settings, store)) is not None:
            yield Check.of("addresses", seen)
        yield Check.of("apps", await apps(store))
        if (seen := await issuers(settings, store)) is not None:
            yield Check.of("trusted issuers", seen)
        yield Check.of("names", await names(store))
        if (seen := await connections(settings, store)) is not None:
            yield Check.of("connections", seen)
        yield Check.of("log-outs", await told(store))
        yield Check.of("mail sent", await mailed(store))
        examined = Examined(store=store, sections=settings.sections, issuer=settings.issuer, now=now)
        for check in [check for feature in FEATURES for check in feature.checks()]:
            if (seen := await check.look(examined)) is not None:
                yield Check.of(check.name, seen)
        yield Check.of("backup", await last_backup(store, now=now, development=settings.development))
    except NotServed as problem:
        yield Check("database", False, problem.error, problem.fix)
    except StoreUnavailable as problem:
        yield Check("database", False, str(problem), fix)
    finally:
        await store.close()


def _breach_list(settings: Settings) -> Finding:
    path = settings.passwords.breached_list
    if path is None:
        return passed("the built-in list of the most common passwords")
    try:
        opened = open_list(path)
    except (BadBreachList, OSError) as problem:
        fix = "Correct the file that passwords.breached_list names, or leave the setting out for the built-in list."
        return failed(str(problem), fix)
    if opened is not None:
        opened.close()
    return passed(path)


_Looks = dict[str, Callable[[Settings], Finding | Awaitable[Finding | None] | None]]
_BEFORE: Final[_Looks] = {
    "issuer": front.issuer,
    "certificate": certificate,
    "proxies": front.proxies,
    "clock": lambda _: machine.clock(),
    "workers": machine.workers,
    "open files": machine.files,
    "secret key": key_encryption_key,
}
"""Checks that do not depend on the database."""
_AFTER: Final[_Looks] = {
    "cache": cache,
    "authorities": authorities,
    "providers": providers,
    "directories": directories,
    "mail": mail,
    "breach list": _breach_list,
    "port": port,
}
