"""SQLite engine: the file and its permissions, the connections, and schema migration.

WAL, so that readers never wait; synchronous=FULL, so that an acknowledged commit survives a power failure; one writer
thread for each process (`storage/sqlite/writer.py`); reads run on the event loop itself, since they take some
microseconds.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, final

from doorward.core.errors import StoreUnavailable
from doorward.storage.sql.migrate import known
from doorward.storage.sql.statements import Param, Query, Row, Step
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.file import BUSY_SECONDS, connect, prepare
from doorward.storage.sqlite.owner import whose
from doorward.storage.sqlite.write_lock import Turn
from doorward.storage.sqlite.writer import Writer

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

# A reader waits only while another process recovers the file after a crash.
_READ_BUSY_MS = 1000
# Text that is not Unicode, a number beyond 64 bits: no row can contain it, so none is found.
_UNHOLDABLE = (UnicodeEncodeError, OverflowError)


def _private_folder() -> TemporaryDirectory[str]:
    # only tests need it
    from tempfile import TemporaryDirectory

    return TemporaryDirectory(prefix="doorward-")


async def open_sqlite(path: str | Path, *, migrate: bool = True) -> Store:
    """The store in the SQLite file at `path`, which is created (mode 0600, its folder 0700) if missing.

    ":memory:" is a file in a private temporary folder that `close()` removes, so that tests use the same engine.
    `migrate=False` leaves the schema alone: `ready()` then says whether it is this program's. Raises `SchemaRefused`
    for a newer or foreign schema, `StoreUnavailable` when the file cannot be opened.
    """
    folder = _private_folder() if str(path) == ":memory:" else None
    file = Path(folder.name) / "doorward.db" if folder else Path(path)
    migrations = known("sqlite")
    try:
        await asyncio.to_thread(prepare, file, migrations, migrate, durable=folder is None)
        database = SqliteDatabase(file, durable=folder is None)
    except (sqlite3.Error, OSError) as problem:
        if folder:
            folder.cleanup()
        raise StoreUnavailable(f"The database {file} cannot be opened: {problem}.{whose(file)}") from problem

    async def close() -> None:
        await database.close()
        if folder:
            folder.cleanup()

    return Store(database, known=migrations, close=close)


@final
class SqliteDatabase:
    """`Database` on one file. One read connection for each thread, one writer thread."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._durable = durable
        # one file has one history
        self.history = "0"
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        self._lock = threading.Lock()
        turn = Turn(path.with_name(path.name + "-turn"), BUSY_SECONDS)
        self._writer = Writer(self._open_writer, turn)

    async def one(self, sql: str, params: tuple[Param, ...]) -> Row | None:
        rows = await self.all(sql, params)
        return rows[0] if rows else None

    async def all(self, sql: str, params: tuple[Param, ...]) -> Sequence[Row]:
        try:
            return self._reader().execute(sql, params).fetchall()
        except sqlite3.Error as problem:
            raise _unavailable(problem) from problem
        except _UNHOLDABLE:
            return []

    async def snapshot(self, *queries: Query) -> Sequence[Sequence[Row]]:
        try:
            cursor = self._reader()
            cursor.execute("BEGIN")
            try:
                return [cursor.execute(sql, params).fetchall() for sql, params in queries]
            finally:
                cursor.execute("ROLLBACK")
        except sqlite3.Error as problem:
            raise _unavailable(problem) from problem

    async def apply(self, steps: Sequence[Step]) -> int:
        return await self._writer.apply(steps) if steps else 0

    async def close(self) -> None:
        await self._writer.close()
        with self._lock:
            self._closed = True
            readers, self._readers = self._readers, []
        for reader in readers:
            reader.close()

    def _reader(self) -> sqlite3.Cursor:
        """This thread's cursor. Rows are always fetched to the end, so that no reader holds an old snapshot open."""
        try:
            return self._local.cursor
        except AttributeError:
            pass
        with self._lock:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            connection = connect(self._path)
            self._readers.append(connection)
        connection.execute(f"PRAGMA busy_timeout = {_READ_BUSY_MS}")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA cache_size = -4096")
        self._local.cursor = connection.cursor()
        return self._local.cursor

    def _open_writer(self) -> sqlite3.Connection:
        connection = connect(self._path)
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
        connection.execute("PRAGMA foreign_keys = ON")
        # so that INSERT OR REPLACE fires the triggers that protect the audit log
        connection.execute("PRAGMA recursive_triggers = ON")
        connection.execute("PRAGMA cache_size = -8192")
        # otherwise the undo data of a savepoint goes through a file that is created and removed each time
        connection.execute("PRAGMA temp_store = MEMORY")
        # Commits wait for a checkpoint. In a database of five million rows its pages are scattered over the file: 4000
        # pages took 60 to 95 ms, a thousand 30; the number of refreshes per second is the same either way.
        connection.execute("PRAGMA wal_autocheckpoint = 1000")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        # Last, since the first read of the file may meet another connection that holds the journal exclusively for a
        # moment. From now on writers wait at the turnstile, in shorter steps than SQLite's own.
        connection.execute("PRAGMA busy_timeout = 0")
        return connection


def _unavailable(problem: sqlite3.Error) -> StoreUnavailable:
    return StoreUnavailable(f"the database does not answer: {problem}")
