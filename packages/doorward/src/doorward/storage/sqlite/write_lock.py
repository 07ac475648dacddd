"""Fair write lock for server processes that share one SQLite file.

SQLite has one writer and no queue: a process that commits without pause keeps the lock, and another one, which sleeps
between two tries, starves. So a writer first takes a turnstile (an advisory lock on a file beside the database), holds
it only while it waits for SQLite's own lock, and releases it once it has that. A process that has just committed then
finds the turnstile held by the waiting one. This is fairness, not safety: SQLite's lock alone protects the data.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import final

from doorward.storage.sqlite.owner import hand_over

try:
    import fcntl
except ImportError:  # no such locks on this system: a single process works well without them
    fcntl = None

# Seconds between two tries of a lock that another process holds: a batch takes some milliseconds.
_PAUSE = 0.0003


@final
class Turn:
    """One writer's access to the turnstile. `seconds`: how long to wait for the database before giving up."""

    def __init__(self, path: Path, seconds: float) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            hand_over(self._file, path.absolute().parent)
        except FileExistsError:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._seconds = seconds

    def begin(self, connection: sqlite3.Connection) -> None:
        """Start a write transaction. Raises `sqlite3.OperationalError` (SQLITE_BUSY) when the time is over."""
        until = time.monotonic() + self._seconds
        held = self._enter(until)
        try:
            while True:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as problem:
                    if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                        raise
                time.sleep(_PAUSE)
        finally:
            if held and fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _enter(self, until: float) -> bool:
        """True if the turnstile was taken; False if it stayed locked (its holder hangs): the writer then continues
        without it."""
        if fcntl is None:
            return False
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                # half of the time is reserved for the database lock itself
                if time.monotonic() >= until - self._seconds / 2:
                    return False
            time.sleep(_PAUSE)

    def close(self) -> None:
        """Close the lock file."""
        os.close(self._file)
