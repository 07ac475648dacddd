"""Engine interface for copying, and reading and writing of rows in key order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct

from doorward.core.ports.progress import Progress
from doorward.storage.copy.encode import Key, Running
from doorward.storage.copy.tables import APPEND_ONLY, Table
from doorward.storage.sql.audit_end import KEPT_FROM
from doorward.storage.sql.migrate import APPLIED
from doorward.storage.sql.statements import Param, Row
from doorward.storage.sql.text import select

CHUNK = 4000
"""Rows read and written at once: some hundred kilobytes, some ten milliseconds."""


class Version(Struct, frozen=True, array_like=True):
    """One applied migration."""

    number: int
    name: str


class Side(Protocol):
    """One connection to one database. Statements have `?` for values. Methods raise `CopyRefused`."""

    @property
    def place(self) -> str:
        """Path or address of the database, safe to print."""
        ...

    @property
    def bytes_type(self) -> str:
        """The SQL type of a column for bytes."""
        ...

    async def rows(self, sql: str, params: Sequence[Param] = ()) -> list[Row]: ...
    async def run(self, sql: str, params: Sequence[Param] = ()) -> int:
        """Run one statement; returns how many rows it changed."""
        ...

    async def insert(self, table: Table, rows: Sequence[Row], *, missing_only: bool = False) -> None:
        """Insert rows; with `missing_only` existing rows stay as they are."""
        ...

    def ordered(self, table: Table, column: str) -> str:
        """SQL expression that compares and sorts a column: text by its bytes, on every engine."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """A transaction, durable at its end."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[None]:
        """All reads inside see one moment of the database; writes of others are not blocked."""
        ...

    async def tables(self) -> tuple[Table, ...]:
        """Every table to copy, in the order to fill them."""
        ...

    async def has(self, table: str) -> bool:
        """Whether there is a table of this name."""
        ...

    async def loosen(self) -> None:
        """Remove foreign keys, so that tables can be filled and repaired in any order. Inside a transaction."""
        ...

    async def tighten(self) -> None:
        """Restore the foreign keys, which checks every row. Inside a transaction."""
        ...

    async def raise_fence(self, tables: Sequence[Table]) -> None:
        """Make every table refuse writes while `fence` holds a row whose end time has not passed. Running commits of
        others have ended when this returns."""
        ...

    async def drop_fence(self, tables: Sequence[Table]) -> None:
        """Remove the fence without a trace. Inside a transaction."""
        ...

    async def clock(self) -> int:
        """Seconds since the epoch, on the clock that the fence uses."""
        ...

    async def aclose(self) -> None: ...


async def versions(side: Side) -> tuple[Version, ...]:
    """The applied migrations; none if the database is not Doorward's."""
    if not await side.has("schema_migrations"):
        return ()
    return tuple(Version(number, name) for number, name, _ in await side.rows(APPLIED))


async def pages(
    side: Side, table: Table, after: Key | None = None, upto: Key | None = None, *, size: int = CHUNK
) -> AsyncGenerator[list[Row]]:
    """The rows in key order, those after `after` up to and including `upto`, in pages."""
    while True:
        condition, params = _between(side, table, after, upto)
        order = ", ".join(side.ordered(table, name) for name in table.key)
        sql = select(", ".join(table.names), f"{table.name} WHERE {condition} ORDER BY {order} LIMIT {size}")
        rows = await side.rows(sql, params)
        if rows:
            yield rows
        if len(rows) < size:
            return
        after = key_of(table, rows[-1])


async def summed(
    side: Side, table: Table, progress: Progress, keep: Callable[[], Awaitable[None]] | None = None
) -> Running:
    """Row count and checksum of a whole table; `keep` is called before each part is read."""
    running = Running()
    async for rows in pages(side, table):
        if keep is not None:
            await keep()
        running.add(rows)
        progress.step(table.name, len(rows))
    return running


def key_of(table: Table, row: Row) -> Key:
    """The key of a row."""
    return tuple(row[place] for place in table.key_places)


async def count(side: Side, table: Table) -> int:
    """The number of rows."""
    rows = await side.rows(select("COUNT(*)", f"{table.name} WHERE {table.only or '1 = 1'}"))
    return rows[0][0]


async def clear(side: Side, table: Table, after: Key | None, upto: Key | None) -> None:
    """Delete the rows after `after` up to and including `upto`; in append-only tables, only those old enough to be
    deleted."""
    condition, params = _between(side, table, after, upto)
    if table.name in APPEND_ONLY:
        condition += f" AND id < (SELECT value FROM meta WHERE name = '{KEPT_FROM}')"  # noqa: S608 - a name from this package
    await side.run(f"DELETE FROM {table.name} WHERE {condition}", params)  # noqa: S608 - names from the schema


def _between(side: Side, table: Table, after: Key | None, upto: Key | None) -> tuple[str, tuple[Param, ...]]:
    key = ", ".join(side.ordered(table, name) for name in table.key)
    marks = ", ".join("?" * len(table.key))
    conditions = [table.only or "1 = 1"]
    params: tuple[Param, ...] = ()
    if after is not None:
        conditions.append(f"({key}) > ({marks})")
        params += after
    if upto is not None:
        conditions.append(f"({key}) <= ({marks})")
        params += upto
    return " AND ".join(conditions), params
