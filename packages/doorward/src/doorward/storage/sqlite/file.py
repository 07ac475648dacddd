"""Creation of a database file with private permissions and the current schema, before the first read or write."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

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
from doorward.storage.sqlite.owner import hand_over, make_folders

# Seconds that a commit waits for another process before the answer is 503.
BUSY_SECONDS = 15.0


def connect(path: Path) -> sqlite3.Connection:
    """A connection to an existing file, usable from any thread; the caller controls transactions."""
    # mode=rw: a file that was deleted while the server runs must not be recreated empty
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def prepare(path: Path, migrations: Sequence[Migration], migrate: bool, *, durable: bool = True) -> None:
    """Create the file and its folder if missing, and run the missing migrations. With `migrate=False` schema and
    permissions of an existing file stay unchanged. `durable=False`: nothing is to survive a power failure, so nothing
    waits for the disk.

    Raises `SchemaRefused`, `sqlite3.Error` or `OSError`.
    """
    _make_private(path, tighten=migrate)
    connection = connect(path)
    try:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        _use_wal(connection)
        _migrate(connection, path, migrations, migrate)
    finally:
        connection.close()


def _make_private(path: Path, *, tighten: bool) -> None:
    make_folders(path)
    # An existing file is never opened here: closing it would drop the locks that SQLite holds on it for this process
    # (fcntl locks belong to process and file), and another process could then remove a journal that is in use.
    try:
        made = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        if tighten and path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return
    try:
        # SQLite creates its own files beside this one with the same owner
        hand_over(made, path.absolute().parent)
    finally:
        os.close(made)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. Two processes that start at once may both do this, and SQLite does not wait here by itself."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise sqlite3.NotSupportedError(
                    f"this file system keeps the journal mode at {mode!r}; Doorward needs WAL, so choose a folder on a local disk"
                )
            return
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
        time.sleep(0.01)


def _migrate(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration], migrate: bool
) -> None:
    """Run all missing migrations in one transaction: a second process waits for it, and finds nothing left to do."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(CREATE_HISTORY)
        applied = connection.execute(APPLIED).fetchall()
        said = connection.execute(READABLE).fetchone() if len(applied) > len(migrations) else None
        needed = missing(applied, migrations, where=str(path), said=said[0] if said else None)
        if not migrate:
            connection.execute("ROLLBACK")
            return
        for migration in needed:
            for statement in _statements(migration.text):
                connection.execute(statement)
            connection.execute(RECORD, (migration.number, migration.name, migration.checksum))
        if len(applied) <= len(migrations):
            needs = connection.execute(NEEDS).fetchone()
            value = readable(migrations, needs[0] if needs else None)
            if needed or (value,) != connection.execute(READABLE).fetchone():
                connection.execute(SAY_READABLE, (value,))
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _statements(text: str) -> list[str]:
    """The statements of a script; the body of a trigger contains semicolons."""
    statements: list[str] = []
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    # the rest is a comment, or an incomplete statement, which must then fail
    return [*statements, pending] if pending.strip() else statements
