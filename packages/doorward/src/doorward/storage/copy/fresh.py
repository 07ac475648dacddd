"""Atomic restore target: a new file that replaces the old one at the end, or one PostgreSQL transaction."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, closing, suppress
from pathlib import Path
from typing import TypeVar

from doorward.storage.copy.load import counters_of
from doorward.storage.copy.others import nobody_answers, nobody_connected
from doorward.storage.copy.rights import as_owner, grant_again, granted
from doorward.storage.copy.side import Side, count, versions
from doorward.storage.copy.sqlite_side import open_sqlite_side
from doorward.storage.copy.tables import BOOKKEEPING, SEEDED, CopyRefused
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.sql.migrate import (
    CREATE_HISTORY,
    NEEDS,
    RECORD,
    SAY_READABLE,
    Migration,
    known,
    readable,
)
from doorward.storage.sqlite.file import connect, prepare
from doorward.storage.sqlite.owner import make_folders

T = TypeVar("T")
Fill = Callable[[Side, dict[str, int]], Awaitable[T]]
"""Fills an empty database of the backup's schema; receives the counters of the replaced database."""

_CREATED = re.compile(r"CREATE (TABLE|FUNCTION) (\w+)")


async def into_sqlite(path: Path, schema: int, fill: Fill[T], *, replace: bool) -> T:
    """Fill a new file of this schema version, migrate it, and put it in the place of `path`. Raises `CopyRefused`."""
    migrations = _migrations("sqlite", schema)
    before = await _look(path, replace=replace)
    draft = path.with_name(f"{path.name}.restoring")
    _remove(draft)
    try:
        prepare(draft, migrations[:schema], migrate=True)
        async with aclosing(await open_sqlite_side(draft)) as side, side.transaction():
            result = await fill(side, before)
        prepare(draft, migrations, migrate=True)
        _as_one_file(draft)
        _take_place(draft, path)
    except (sqlite3.Error, OSError) as problem:
        raise CopyRefused(
            f"{draft} cannot be written: {problem}.", "Make room there, and try again."
        ) from problem
    finally:
        _remove(draft)
    return result


async def into_postgres(
    url: str, options: PostgresOptions, schema: int, fill: Fill[T], *, replace: bool
) -> T:
    """The same in one transaction, invisible to others before its end. Raises `CopyRefused`."""
    from doorward.storage.copy.postgres_side import open_postgres_side
    from doorward.storage.postgres.text import schema as in_its_words

    async def apply(some: Sequence[Migration]) -> None:
        for one in some:
            await side.script(in_its_words(one.text))
            await side.run(RECORD, (one.number, one.name, one.checksum))

    migrations = _migrations("postgres", schema)
    async with aclosing(await open_postgres_side(url, options)) as side:
        await nobody_connected(side)
        before = await _counted(side, replace=replace)
        await nobody_answers(side)
        async with side.transaction():
            await side.run("SET LOCAL lock_timeout = '5s'")
            await as_owner(side)
            grants = await granted(side)
            made: dict[str, list[str]] = {"TABLE": [], "FUNCTION": ["doorward_fence"]}
            for kind, name in _CREATED.findall("\n".join(one.text for one in migrations)):
                made[kind].append(name)
            for name in [*made["TABLE"], *BOOKKEEPING]:
                await side.run(f"DROP TABLE IF EXISTS {name} CASCADE")
            for name in made["FUNCTION"]:
                await side.run(f"DROP FUNCTION IF EXISTS {name} CASCADE")
            # A server that starts from here on waits; this finds one that started a moment ago.
            await nobody_connected(side)
            await side.script(in_its_words(CREATE_HISTORY))
            await apply(migrations[:schema])
            result = await fill(side, before)
            await apply(migrations[schema:])
            needs = await side.rows(NEEDS)
            await side.run(SAY_READABLE, (readable(migrations, needs[0][0] if needs else None),))
            await grant_again(side, grants)
            await side.run("ANALYZE")
    return result


def _migrations(engine: str, schema: int) -> tuple[Migration, ...]:
    migrations = known(engine)
    if schema > len(migrations):
        raise CopyRefused(
            f"The backup has schema version {schema}, this program knows versions up to {len(migrations)}.",
            "Restore it with the newer Doorward that made it.",
        )
    return migrations


async def _look(path: Path, *, replace: bool) -> dict[str, int]:
    """The counters of the database at `path`. Raises `CopyRefused` when it must not be replaced."""
    make_folders(path)
    if not path.exists() or path.stat().st_size == 0:  # noqa: ASYNC240
        return {}
    async with aclosing(await open_sqlite_side(path, read_only=True)) as side:
        return await _counted(side, replace=replace)


async def _counted(side: Side, *, replace: bool) -> dict[str, int]:
    if await versions(side) and not replace:
        for table in await side.tables():
            if table.name not in SEEDED and await count(side, table):
                raise CopyRefused(
                    f"{side.place} is not empty: there are rows in {table.name}.",
                    "Name an empty database with --into, or add --replace, which takes its place.",
                )
    return await counters_of(side)


def _as_one_file(path: Path) -> None:
    """Bring all data of the database into the file itself, and onto the disk."""
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    synced(path)


def _take_place(draft: Path, path: Path) -> None:
    if not path.exists():
        draft.rename(path)
    else:
        aside = path.with_name(f"{path.name}.replaced")
        with closing(connect(path)) as old:
            try:
                # a file that no other process has open is merged into one file, and locked until it is replaced
                old.execute("PRAGMA busy_timeout = 2000")
                old.execute("PRAGMA journal_mode = DELETE").fetchone()
                old.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                raise CopyRefused(
                    f"{path} is in use.", "Stop the server and every doorward command on it first."
                ) from None
            with suppress(FileNotFoundError):
                aside.unlink()
            os.link(path, aside)
            draft.replace(path)
    synced(path.parent)


def synced(path: Path) -> None:
    """Flush the data of a file, or the names in a folder, to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(draft: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            draft.with_name(draft.name + end).unlink()
