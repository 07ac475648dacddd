"""PostgreSQL side of a copy: reads and writes a whole database over one connection of its own.

Every statement runs in a transaction that needs no earlier state of the connection, so that a pooler may stand in
between.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final, cast, final

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has none
import msgspec

from doorward.storage.copy.fence import FENCED, VERBS, WRITTEN, in_force
from doorward.storage.copy.postgres_shape import COLUMNS, FOREIGN_KEYS, KEYS, TABLES
from doorward.storage.copy.tables import BOOKKEEPING, MARKS, Column, CopyRefused, Table, column_of, in_order
from doorward.storage.postgres.connect import Connector
from doorward.storage.postgres.errors import not_text, verdict
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.postgres.pool import Connection
from doorward.storage.postgres.remedy import remedy
from doorward.storage.postgres.text import numbered
from doorward.storage.postgres.url import shown
from doorward.storage.sql.statements import Param, Row

_HOUR: Final = 3600
_NOW: Final = "SELECT EXTRACT(EPOCH FROM clock_timestamp())::bigint"
_FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION doorward_fence() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  now_ BIGINT;
  held fence%ROWTYPE;
BEGIN
  LOOP
    SELECT * INTO held FROM fence;
    EXIT WHEN NOT FOUND OR held.owner = {WRITTEN};
    now_ := EXTRACT(EPOCH FROM clock_timestamp())::bigint;
    IF EXISTS (SELECT 1 FROM (SELECT held.until) AS one WHERE {in_force("now_")}) THEN
      RAISE EXCEPTION '{FENCED}' USING ERRCODE = 'DW001';
    END IF;
    -- the mover may put the time off in this very moment: of the two one is first, and the other sees it
    UPDATE fence SET owner = {WRITTEN} WHERE owner = held.owner AND until = held.until;
    EXIT WHEN FOUND;
  END LOOP;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$
"""  # noqa: S608 - constants of this package


async def open_postgres_side(url: str, options: PostgresOptions) -> PostgresSide:
    """A side on the database at `url`. Raises `CopyRefused`."""
    # counting and comparing whole tables takes longer than any request may
    patient = msgspec.structs.replace(options, statement_timeout=_HOUR)
    with _told(shown(url)):
        connection = await Connector(url, patient).connect()
    return PostgresSide(connection, shown(url))


@final
class PostgresSide:
    """`side.Side` on one connection."""

    bytes_type = "BYTEA"

    def __init__(self, connection: Connection, place: str) -> None:
        self._connection = cast("Any", connection)
        self.place = place

    async def rows(self, sql: str, params: Sequence[Param] = ()) -> list[Row]:
        with _told(self.place):
            return [tuple(row) for row in await self._connection.fetch(numbered(sql), *params)]

    async def run(self, sql: str, params: Sequence[Param] = ()) -> int:
        with _told(self.place):
            status: str = await self._connection.execute(numbered(sql), *params)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def script(self, text: str) -> None:
        """Run several statements without values."""
        with _told(self.place):
            await self._connection.execute(text)

    async def insert(self, table: Table, rows: Sequence[Row], *, missing_only: bool = False) -> None:
        with _told(self.place, table, rows):
            if not missing_only:
                await self._connection.copy_records_to_table(
                    table.name, records=rows, columns=list(table.names)
                )
                return
            # only a transaction that was interrupted before leaves existing rows: never many
            await self._connection.executemany(numbered(table.insert(missing_only=True)), rows)

    def ordered(self, table: Table, column: str) -> str:
        kind = next(c.kind for c in table.columns if c.name == column)
        return f'{column} COLLATE "C"' if kind == "text" else column

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[None]:
        with _told(self.place):
            transaction = self._connection.transaction()
            await transaction.start()
            try:
                yield
            except BaseException:
                # an interrupted copy closes the connection; the error that interrupted it is the one to report
                with suppress(Exception):
                    await transaction.rollback()
                raise
            await transaction.commit()

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[None]:
        # Before the first read, so that no month of the audit log is dropped before it is read: unlike a row, a table
        # dropped since is not in the snapshot. Only dropping a month waits for this lock, and not for long.
        audit = (await self.rows("SELECT to_regclass('audit')::text"))[0][0]
        with _told(self.place):
            async with self._connection.transaction(isolation="repeatable_read", readonly=True):
                if audit is not None:
                    await self._connection.execute(f"LOCK TABLE {audit} IN ACCESS SHARE MODE")
                yield

    async def tables(self) -> tuple[Table, ...]:
        columns: dict[str, list[Column]] = {
            name: [] for (name,) in await self.rows(TABLES) if name not in BOOKKEEPING
        }
        for table, column, type_ in await self.rows(COLUMNS):
            if table in columns:
                columns[table].append(column_of(table, column, type_))
        keys: defaultdict[str, list[str]] = defaultdict(list)
        for table, column in await self.rows(KEYS):
            keys[table].append(column)
        refers: defaultdict[str, set[str]] = defaultdict(set)
        for table, other, _, _ in await self.rows(FOREIGN_KEYS):
            refers[table].add(other)
        return in_order(
            Table(name, tuple(held), tuple(keys[name]), tuple(sorted(refers[name])))
            for name, held in columns.items()
        )

    async def has(self, table: str) -> bool:
        return (await self.rows("SELECT to_regclass(CAST(? AS TEXT)) IS NOT NULL", (table,)))[0][0]

    async def loosen(self) -> None:
        await self.run(
            "CREATE TABLE IF NOT EXISTS copy_constraints"
            " (tab TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (tab, name))"
        )
        for table, _, name, definition in await self.rows(FOREIGN_KEYS):
            await self.run(
                "INSERT INTO copy_constraints (tab, name, definition) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (table, name, definition),
            )
            await self.run(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')

    async def tighten(self) -> None:
        if await self.has("copy_constraints"):
            for table, name, definition in await self.rows(
                "SELECT tab, name, definition FROM copy_constraints"
            ):
                await self.run(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')
            await self.run("DROP TABLE copy_constraints")
        # the planner has no statistics about the copied rows yet
        await self.run("ANALYZE")

    async def raise_fence(self, tables: Sequence[Table]) -> None:
        await self.run(_FUNCTION)
        for table in tables:
            # creating a trigger waits for every transaction that has written to the table; later ones are subject to it
            async with self.transaction():
                for verb, row in VERBS:
                    but = f" WHEN ({row}.name NOT IN {MARKS})" if table.name == "meta" else ""
                    await self.run(
                        f"CREATE OR REPLACE TRIGGER fence_{verb.lower()} BEFORE {verb} ON {table.name}"
                        f" FOR EACH ROW{but} EXECUTE FUNCTION doorward_fence()"
                    )

    async def drop_fence(self, tables: Sequence[Table]) -> None:
        # if another session reads for an hour, writers must not queue behind us
        await self.run("SET LOCAL lock_timeout = '3s'")
        for table in tables:
            for verb, _ in VERBS:
                await self.run(f"DROP TRIGGER IF EXISTS fence_{verb.lower()} ON {table.name}")
        await self.run("DROP FUNCTION IF EXISTS doorward_fence()")
        await self.run("DROP TABLE IF EXISTS fence")

    async def clock(self) -> int:
        return (await self.rows(_NOW))[0][0]

    async def aclose(self) -> None:
        with suppress(Exception):
            async with asyncio.timeout(5):
                await self._connection.close()


@contextmanager
def _told(place: str, table: Table | None = None, rows: Sequence[Row] = ()) -> Generator[None]:
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as problem:
        if table is not None and not_text(problem):
            raise _zero_byte(place, table, rows) from None
        raise CopyRefused(f"{place}: {verdict(problem, 'said')}.", remedy(problem)) from problem


def _zero_byte(place: str, table: Table, rows: Sequence[Row]) -> CopyRefused:
    """PostgreSQL stores every text except one with a zero byte, which SQLite does store."""
    for row in rows:
        for column, value in zip(table.names, row, strict=True):
            if isinstance(value, str) and "\x00" in value:
                key = ", ".join(str(row[place_]) for place_ in table.key_places)
                return CopyRefused(
                    f"{table.name} {key}: {column} holds a zero byte, which {place} cannot store.",
                    "Change that value in the source, then run the same command again.",
                )
    return CopyRefused(f"A text in {table.name} cannot be stored in {place}.")
