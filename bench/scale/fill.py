"""Bulk fill of a database with millions of rows within minutes: chunks in chronological order, without the
store's commits, but into its own tables with all their indexes.

SQLite receives large transactions without a journal (an interrupted run starts again); PostgreSQL receives
COPY on several connections, each fed by its own process.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import asyncpg

from bench.scale import content
from bench.scale.content import GRANTS_PER_PERSON, Row, World

CHUNK = 25_000
"""Grants in one chunk, together with the people created at the same time."""
_CACHE_KIB = 3 << 20


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one table."""

    table: str
    columns: tuple[str, ...]
    rows: list[Row]


def batches(world: World, first: int, until: int) -> Iterator[Batch]:
    """The grants from `first` to before `until` (multiples of five) and the people of that time, table by table."""
    people = range(first // GRANTS_PER_PERSON, until // GRANTS_PER_PERSON)
    yield Batch("accounts", content.ACCOUNT_COLUMNS, [world.account(one) for one in people])
    factors = [world.factor(one) for one in people if content.has_factor(one)]
    yield Batch("factors", content.FACTOR_COLUMNS, factors)
    yield Batch("sessions", content.SESSION_COLUMNS, [world.session(one) for one in people])
    yield from _granted([world.grant(number) for number in range(first, until)])


def expired(world: World, count: int) -> Iterator[Batch]:
    """`count` rows that wait for the sweep, half of them grants and half refresh tokens."""
    for first in range(0, count // 2, CHUNK):
        until = min(first + CHUNK, count // 2)
        yield from _granted([world.expired(number) for number in range(first, until)])


def _granted(pairs: list[tuple[Row, Row]]) -> Iterator[Batch]:
    yield Batch("grants", content.GRANT_COLUMNS, [grant for grant, _ in pairs])
    yield Batch("refresh_tokens", content.REFRESH_COLUMNS, [token for _, token in pairs])


def chunks(first: int, until: int) -> list[tuple[int, int]]:
    """[first, until) divided into chunks."""
    return [(at, min(at + CHUNK, until)) for at in range(first, until, CHUNK)]


def fill_sqlite(path: Path, world: World, first: int, until: int) -> None:
    """Add the grants from `first` to before `until` to a file that no other process has open."""
    _into_sqlite(path, (batch for piece in chunks(first, until) for batch in batches(world, *piece)))


def expire_sqlite(path: Path, world: World, count: int) -> None:
    """Add `count` rows that expired long ago."""
    _into_sqlite(path, expired(world, count))


def _into_sqlite(path: Path, every: Iterator[Batch]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute("BEGIN")
        for batch in every:
            marks = ", ".join("?" * len(batch.columns))
            connection.executemany(
                f"INSERT INTO {batch.table} ({', '.join(batch.columns)}) VALUES ({marks})",
                batch.rows,
            )
        connection.execute("COMMIT")
        connection.execute("PRAGMA locking_mode = NORMAL")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    with path.open("rb") as file:
        os.fsync(file.fileno())


def fill_postgres(url: str, world: World, first: int, until: int, *, processes: int) -> None:
    """Add the grants from `first` to before `until`, then do the work that autovacuum would do over time."""
    pieces = chunks(first, until)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(_copy_piece, url, world, *piece) for piece in pieces]:
            done.result()
    asyncio.run(_tend(url))


def expire_postgres(url: str, world: World, count: int) -> None:
    """Add `count` rows that expired long ago."""
    asyncio.run(into_postgres(url, expired(world, count)))


def _copy_piece(url: str, world: World, first: int, until: int) -> None:
    asyncio.run(_copy(url, batches(world, first, until)))


async def into_postgres(url: str, every: Iterator[Batch]) -> None:
    """Add these rows, then do the work that autovacuum would do over time."""
    await _copy(url, every)
    await _tend(url)


async def _copy(url: str, every: Iterator[Batch]) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            for batch in every:
                await connection.copy_records_to_table(batch.table, records=batch.rows, columns=batch.columns)
    finally:
        await connection.close()


async def _tend(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
