"""What is particular to SQLite: the file and its rights, the connections, and how its schema is brought up to date.

WAL, so that readers never wait; synchronous=FULL, so that an answered commit survives a power cut; one writing thread for each
process (`sqlite_writer.py`); reads on the event loop itself, where they take some microseconds.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import final

from doorward.ports.store import StoreUnavailable
from doorward.stores.sql.migrate import APPLIED, CREATE_HISTORY, RECORD, Migration, known, missing
from doorward.stores.sql.sqlite_turn import Turn
from doorward.stores.sql.sqlite_writer import Writer
from doorward.stores.sql.statements import Param, Query, Row, Step
from doorward.stores.sql.store import SqlStore

# How long a commit waits for another process before the answer is 503.
_BUSY_SECONDS = 15.0
# A reader only ever waits while another process recovers the file after a crash.
_READ_BUSY_MS = 1000


async def open_sqlite(path: str | Path, *, migrate: bool = True) -> SqlStore:
    """The store in the SQLite file at `path`, which is made (mode 0600, its folder 0700) when it is not there.

    ":memory:" is a file in a private temporary folder that goes with `close()`, so that tests have the very same engine.
    `migrate=False` leaves the schema alone: `ready()` then says whether it is this program's.
    Raises `SchemaRefused` for a newer or foreign schema, `StoreUnavailable` when the file cannot be opened.
    """
    folder = tempfile.TemporaryDirectory(prefix="doorward-") if str(path) == ":memory:" else None
    file = Path(folder.name) / "doorward.db" if folder else Path(path)
    migrations = known("sqlite")
    try:
        await asyncio.to_thread(_prepare, file, migrations, migrate)
        database = SqliteDatabase(file, durable=folder is None)
    except (sqlite3.Error, OSError) as problem:
        if folder:
            folder.cleanup()
        raise StoreUnavailable(f"The database {file} cannot be opened: {problem}") from problem

    async def close() -> None:
        await database.close()
        if folder:
            folder.cleanup()

    return SqlStore(database, known=migrations, close=close)


@final
class SqliteDatabase:
    """`Database` on one file. One reading connection for each thread, one writing thread."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._durable = durable
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        self._lock = threading.Lock()
        turn = Turn(path.with_name(path.name + "-turn"), _BUSY_SECONDS)
        self._writer = Writer(self._open_writer, turn, name="doorward-sqlite-writer")

    async def one(self, sql: str, params: tuple[Param, ...]) -> Row | None:
        try:
            rows: list[Row] = self._reader().execute(sql, params).fetchall()
        except sqlite3.Error as problem:
            raise _unavailable(problem) from problem
        return rows[0] if rows else None

    async def all(self, sql: str, params: tuple[Param, ...]) -> Sequence[Row]:
        try:
            return self._reader().execute(sql, params).fetchall()
        except sqlite3.Error as problem:
            raise _unavailable(problem) from problem

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
            connection = _connect(self._path)
            self._readers.append(connection)
        connection.execute(f"PRAGMA busy_timeout = {_READ_BUSY_MS}")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA cache_size = -4096")
        self._local.cursor = connection.cursor()
        return self._local.cursor

    def _open_writer(self) -> sqlite3.Connection:
        connection = _connect(self._path)
        # waiting is done at the turnstile, in shorter steps than SQLite's own
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
        connection.execute("PRAGMA foreign_keys = ON")
        # so that INSERT OR REPLACE meets the triggers that guard the audit record
        connection.execute("PRAGMA recursive_triggers = ON")
        connection.execute("PRAGMA cache_size = -8192")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        return connection


def _connect(path: Path) -> sqlite3.Connection:
    # mode=rw: a file that vanished while the server runs must not come back empty
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def _unavailable(problem: sqlite3.Error) -> StoreUnavailable:
    return StoreUnavailable(f"the database does not answer: {problem}")


def _prepare(path: Path, migrations: Sequence[Migration], migrate: bool) -> None:
    _make_private(path)
    connection = _connect(path)
    try:
        connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")
        connection.execute("PRAGMA synchronous = FULL")
        _use_wal(connection)
        _migrate(connection, path, migrations, migrate)
    finally:
        connection.close()


def _make_private(path: Path) -> None:
    for folder in reversed([parent for parent in path.absolute().parents if not parent.exists()]):
        folder.mkdir(mode=0o700, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(file).st_mode & 0o077:
            os.fchmod(file, 0o600)
    finally:
        os.close(file)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Two processes that start at once both ask for WAL, and SQLite does not wait here by itself."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            return
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
        time.sleep(0.01)


def _migrate(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration], migrate: bool
) -> None:
    """All that is missing in one transaction: whoever comes second waits for it, and finds nothing left to do."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(CREATE_HISTORY)
        needed = missing(connection.execute(APPLIED).fetchall(), migrations, where=str(path))
        for migration in needed if migrate else ():
            for statement in _statements(migration.text):
                connection.execute(statement)
            connection.execute(RECORD, (migration.number, migration.name, migration.checksum))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _statements(text: str) -> list[str]:
    """The statements of a script: the body of a trigger has semicolons of its own."""
    statements: list[str] = []
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements
