"""Schema migration of a PostgreSQL database by one of the processes that start at once.

All missing migrations run in one transaction under a lock that ends with it. If none is missing, no lock is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres import text as postgres_text
from doorward.storage.postgres.errors import state_of
from doorward.storage.postgres.pool import Connection
from doorward.storage.postgres.text import numbered
from doorward.storage.sql.migrate import (
    APPLIED,
    CREATE_HISTORY,
    NEEDS,
    READABLE,
    RECORD,
    SAY_READABLE,
    Migration,
    missing,
    readable,
)

# "Doorward" in ASCII: the number of the advisory lock, which is local to this database.
_LOCK = 0x446F6F7277617264
# A change of a table waits for its users, and all later ones queue behind it: never longer than this.
_LOCK_TIMEOUT_MS = 2000
_PAUSE_SECONDS = 0.5
# Building a new index takes any time, and the other processes wait for it.
_AS_LONG_AS_IT_TAKES = 86_400.0
_NO_LOCK = "55P03"
# The lock is held. Or, on an engine without such locks, two met: serialization failure, deadlock, existing table or
# row.
_ANOTHER_AT_WORK = frozenset({_NO_LOCK, "40001", "40P01", "42P07", "23505"})
_NO_FUNCTION = "42883"


async def prepare(
    connection: Connection, migrations: Sequence[Migration], migrate: bool, *, where: str, collate: bool
) -> None:
    """Run the missing migrations; with `migrate=False` only check them. `where` names the database in messages.

    Raises `SchemaRefused`, `StoreUnavailable`, or the database's error.
    """
    (encoding,) = (await connection.fetch("SHOW server_encoding"))[0]
    if encoding.upper() not in {"UTF8", "UTF-8"}:
        raise StoreUnavailable(
            f"The database {where} has the encoding {encoding} and cannot hold every name. Make it with"
            " createdb --encoding=UTF8 --template=template0."
        )
    needed = await _missing(connection, migrations, where)
    if not migrate:
        return
    tries = 0
    while needed:
        tries += 1
        try:
            await _run(connection, migrations, where, collate)
            return
        except Exception as problem:
            state = state_of(problem)
            if state not in _ANOTHER_AT_WORK or tries > 120:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
            before, needed = needed, await _missing(connection, migrations, where)
            if state != _NO_LOCK and len(needed) == len(before):
                # no other process did it: such a table existed before
                raise


async def _missing(
    connection: Connection, migrations: Sequence[Migration], where: str
) -> Sequence[Migration]:
    (history,) = (await connection.fetch("SELECT to_regclass('schema_migrations')::text"))[0]
    applied = [] if history is None else [tuple(row) for row in await connection.fetch(APPLIED)]
    said = await connection.fetch(READABLE) if len(applied) > len(migrations) else ()
    return missing(applied, migrations, where=where, said=said[0][0] if said else None)


async def _run(connection: Connection, migrations: Sequence[Migration], where: str, collate: bool) -> None:
    # Whatever the database's default: after waiting for the lock, this transaction must see the changes made meanwhile.
    await connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
    try:
        await connection.execute(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
        await connection.execute("SET LOCAL statement_timeout = 0")
        await _lock(connection)
        await connection.execute(postgres_text.schema(CREATE_HISTORY, collate=collate))
        for one in await _missing(connection, migrations, where):
            text = postgres_text.schema(one.text, collate=collate)
            await connection.execute(text, timeout=_AS_LONG_AS_IT_TAKES)
            await connection.fetch(numbered(RECORD), one.number, one.name, one.checksum)
        needs = await connection.fetch(NEEDS)
        value = readable(migrations, needs[0][0] if needs else None)
        await connection.fetch(numbered(SAY_READABLE), value)
        await connection.execute("COMMIT")
    except BaseException:
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
        raise


async def _lock(connection: Connection) -> None:
    await connection.execute("SAVEPOINT no_lock")
    try:
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
    except Exception as problem:
        if state_of(problem) != _NO_FUNCTION:
            raise
        # an engine without such locks is serializable instead, and makes one of two transactions retry
        await connection.execute("ROLLBACK TO SAVEPOINT no_lock")
