"""SQLite side of a copy: reads and writes a whole file over one connection, beside a server that may be running."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import final

from doorward.storage.copy.fence import FENCED, VERBS, WRITTEN, in_force
from doorward.storage.copy.tables import BOOKKEEPING, MARKS, CopyRefused, Table, column_of, in_order
from doorward.storage.sql.statements import Param, Row
from doorward.storage.sqlite.file import BUSY_SECONDS, connect
from doorward.storage.sqlite.write_lock import Turn

_NOW = "CAST(strftime('%s', 'now') AS INTEGER)"
_UNTOUCHED = f"EXISTS (SELECT 1 FROM fence WHERE owner <> {WRITTEN})"  # noqa: S608 - a constant of this package


async def open_sqlite_side(path: Path, *, read_only: bool = False) -> SqliteSide:
    """A side on an existing file. Raises `CopyRefused`."""
    try:
        if not path.is_file():  # noqa: ASYNC240 - a command has nothing else to do meanwhile
            raise CopyRefused(f"There is no database {path}.", "Name the file of a database that is there.")
        with _told(path):
            connection = connect(path)
            connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
            connection.execute("PRAGMA cache_size = -65536")
            # a power failure loses whole commits, but never damages the file; `durable` flushes them at the end
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = OFF")
            if read_only:
                connection.execute("PRAGMA query_only = ON")
            connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    except OSError as problem:
        raise CopyRefused(f"The database {path} cannot be opened: {problem.strerror}.") from None
    return SqliteSide(connection, path, read_only=read_only)


@final
class SqliteSide:
    """`side.Side` on one file."""

    bytes_type = "BLOB"

    def __init__(self, connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
        self._connection = connection
        self._path = path
        self.place = str(path)
        self._read_only = read_only
        queue = path.with_name(f"{path.name}-turn")
        self._turn = Turn(queue, BUSY_SECONDS) if queue.exists() and not read_only else None

    async def rows(self, sql: str, params: Sequence[Param] = ()) -> list[Row]:
        with _told(self._path):
            return self._connection.execute(sql, params).fetchall()

    async def run(self, sql: str, params: Sequence[Param] = ()) -> int:
        with _told(self._path):
            return self._connection.execute(sql, params).rowcount

    async def insert(self, table: Table, rows: Sequence[Row], *, missing_only: bool = False) -> None:
        with _told(self._path):
            self._connection.executemany(table.insert(missing_only=missing_only), rows)

    def ordered(self, table: Table, column: str) -> str:
        del table  # SQLite compares text by its bytes by default
        return column

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[None]:
        with _told(self._path):
            if self._turn is not None:
                # a busy server commits without pause: a writer outside its queue would wait for ever
                self._turn.begin(self._connection)
            else:
                self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with _told(self._path):
                self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[None]:
        with _told(self._path):
            self._connection.execute("BEGIN")
            # the snapshot begins at the first read
            self._connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        try:
            yield
        finally:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    async def tables(self) -> tuple[Table, ...]:
        listed = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        )
        names: list[str] = [row[0] for row in await self.rows(listed)]
        return in_order([await self._table(name) for name in names if name not in BOOKKEEPING])

    async def _table(self, name: str) -> Table:
        described = await self.rows("SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid", (name,))
        refers = await self.rows('SELECT DISTINCT "table" FROM pragma_foreign_key_list(?)', (name,))
        columns = tuple(column_of(name, column, type_) for column, type_, _ in described)
        key = sorted((place, column) for column, _, place in described if place)
        return Table(name, columns, tuple(c for _, c in key), tuple(sorted(row[0] for row in refers)))

    async def has(self, table: str) -> bool:
        return bool(await self.rows("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)))

    async def loosen(self) -> None:
        """Does nothing: this connection does not enforce foreign keys."""

    async def tighten(self) -> None:
        # in a thread: it reads everything, and the fence of the source must be kept up meanwhile
        broken = await asyncio.to_thread(self._dangling)
        for table, row, other, _ in broken:
            raise CopyRefused(
                f"A row of {table} (number {row}) refers to a row of {other} that is not there."
            )

    def _dangling(self) -> list[Row]:
        with _told(self._path):
            return self._connection.execute("PRAGMA foreign_key_check").fetchall()

    async def raise_fence(self, tables: Sequence[Table]) -> None:
        # no other writer is active during this transaction, and every later one meets the triggers
        async with self.transaction():
            for table in tables:
                for verb, row in VERBS:
                    but = f" AND {row}.name NOT IN {MARKS}" if table.name == "meta" else ""
                    # a trigger left by an older version has another text
                    await self.run(f"DROP TRIGGER IF EXISTS {_trigger(table, verb)}")
                    await self.run(
                        f"CREATE TRIGGER {_trigger(table, verb)} BEFORE {verb} ON {table.name}"  # noqa: S608 - names from the schema
                        f" WHEN {_UNTOUCHED}{but}"
                        f" BEGIN SELECT RAISE(ABORT, '{FENCED}') FROM fence WHERE {in_force(_NOW)};"
                        f" UPDATE fence SET owner = {WRITTEN}; END"
                    )

    async def drop_fence(self, tables: Sequence[Table]) -> None:
        for table in tables:
            for verb, _ in VERBS:
                await self.run(f"DROP TRIGGER IF EXISTS {_trigger(table, verb)}")
        await self.run("DROP TABLE IF EXISTS fence")

    async def clock(self) -> int:
        return (await self.rows(f"SELECT {_NOW}"))[0][0]

    async def aclose(self) -> None:
        if self._turn is not None:
            self._turn.close()
        with suppress(sqlite3.Error):
            if self._read_only:
                self._connection.close()
                return
            # committed data must be on the disk, and in the file itself, before success is reported
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA wal_checkpoint(FULL)")
        self._connection.close()


def _trigger(table: Table, verb: str) -> str:
    return f"fence_{table.name}_{verb.lower()}"


@contextmanager
def _told(path: Path) -> Generator[None]:
    try:
        yield
    except sqlite3.IntegrityError as problem:
        raise CopyRefused(f"The database {path} refused a row: {problem}.") from problem
    except sqlite3.OperationalError as problem:
        code = problem.sqlite_errorcode & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise CopyRefused(
                f"The disk of {path} is full.", "Make room there, then run the same command again."
            ) from problem
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise CopyRefused(
                f"Another program keeps {path} locked.", "Wait for it, then run the same command again."
            ) from problem
        raise CopyRefused(f"The database {path} does not answer: {problem}.", "doorward doctor") from problem
    except sqlite3.DatabaseError as problem:
        raise CopyRefused(f"{path} cannot be read as a database: {problem}.") from problem
