"""What does copying need of an engine, and how are rows read and written in order of their keys?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct

from doorward.storage.copy.encode import Key
from doorward.storage.copy.tables import APPEND_ONLY, Table
from doorward.storage.sql.audit_end import KEPT_FROM
from doorward.storage.sql.statements import Param, Row
from doorward.storage.sql.text import select

CHUNK = 4000
"""Rows read and written at once: some hundred kilobytes, and some ten milliseconds."""


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
        """What a column for bytes is declared as."""
        ...

    async def rows(self, sql: str, params: Sequence[Param] = ()) -> list[Row]: ...
    async def run(self, sql: str, params: Sequence[Param] = ()) -> int:
        """One statement; answers how many rows it changed."""
        ...

    async def insert(self, table: Table, rows: Sequence[Row], *, missing_only: bool = False) -> None:
        """New rows; with `missing_only` those that are there already stay as they are."""
        ...

    def ordered(self, table: Table, column: str) -> str:
        """A column as it is compared and sorted: text by its bytes, on every engine."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """All or nothing, durable at its end."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[None]:
        """What is read inside is one moment of the database; nobody is kept from writing."""
        ...

    async def tables(self) -> tuple[Table, ...]:
        """Every table that is copied, in the order to fill them."""
        ...

    async def versions(self) -> tuple[Version, ...]:
        """The migrations that were applied; none for a database that is not Doorward's."""
        ...

    async def loosen(self) -> None:
        """Take off what ties tables together, so that they can be filled and mended in any order. Inside a transaction."""
        ...

    async def tighten(self) -> None:
        """Put it back, which checks every row. Inside a transaction."""
        ...

    async def raise_fence(self, tables: Sequence[Table]) -> None:
        """Have every table refuse writes while `fence` holds a row whose time has not come. Commits of others that were under way
        are over when this returns."""
        ...

    async def drop_fence(self, tables: Sequence[Table]) -> None:
        """Take it away as if it never was. Inside a transaction."""
        ...

    async def has_fence(self) -> bool:
        """Whether a fence was left standing, be it in force or not."""
        ...

    async def clock(self) -> int:
        """Seconds since the epoch, by the clock that the fence goes by."""
        ...

    async def close(self) -> None: ...


async def pages(
    side: Side, table: Table, after: Key | None = None, upto: Key | None = None, *, size: int = CHUNK
) -> AsyncGenerator[list[Row]]:
    """The rows in order of their keys, those after `after` and up to and with `upto`, some at a time."""
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


def key_of(table: Table, row: Row) -> Key:
    """A row's key."""
    return tuple(row[place] for place in table.key_places)


async def count(side: Side, table: Table) -> int:
    """How many rows there are."""
    rows = await side.rows(select("COUNT(*)", f"{table.name} WHERE {table.only or '1 = 1'}"))
    return rows[0][0]


async def clear(side: Side, table: Table, after: Key | None, upto: Key | None) -> None:
    """Remove the rows after `after` and up to and with `upto`. Of lines that may only be added to, those that may go there."""
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
