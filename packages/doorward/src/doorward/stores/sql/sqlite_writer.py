"""How do many commits share one disk flush? One thread takes everything that waits, and commits it as one transaction.

Each commit keeps its own fate inside: a lost guard or a constraint undoes that commit alone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import final

from doorward.ports.store import StoreConflict, StoreUnavailable
from doorward.stores.sql.sqlite_turn import Turn
from doorward.stores.sql.statements import LOST, Step

# A batch is bounded so that another process gets its turn, and the first in it does not wait for a long tail.
_BATCH = 256

# What concerns the database and not one statement of one commit.
_BROKEN = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_SCHEMA,
    }
)


class _Redo(Exception):
    """A commit without a savepoint left something behind: the batch has to start again with savepoints."""


@final
class _Job:
    """One commit that waits, and then its outcome: rows changed, `LOST`, or what to raise."""

    __slots__ = ("future", "loop", "outcome", "savepoint", "steps")

    def __init__(self, steps: Sequence[Step], loop: asyncio.AbstractEventLoop) -> None:
        self.steps = steps
        self.loop = loop
        self.future: asyncio.Future[int] = loop.create_future()
        self.outcome: int | Exception = LOST
        # a guard that is the first statement leaves nothing when it loses; a later one does
        self.savepoint = any(step[2] is not None for step in steps[1:])


@final
class Writer:
    """The thread. `connect` opens its connection; `turn` is how processes alternate."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], turn: Turn, *, name: str) -> None:
        self._connect = connect
        self._turn = turn
        self._waiting: deque[_Job] = deque()
        self._lock = threading.Lock()
        self._idle = False
        self._closing = False
        self._kicking: set[asyncio.AbstractEventLoop] = set()
        self._wake = threading.Semaphore(0)
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def apply(self, steps: Sequence[Step]) -> int:
        """Queues one commit and waits until it is on disk. See `Database.apply`."""
        loop = asyncio.get_running_loop()
        job = _Job(steps, loop)
        with self._lock:
            if self._closing:
                raise StoreUnavailable("the store is closed")
            self._waiting.append(job)
            # Waking waits until this turn of the loop is over: whoever else is ready commits in the same batch, and the two
            # threads do not fight for the interpreter meanwhile.
            if self._idle and loop not in self._kicking:
                self._kicking.add(loop)
                loop.call_soon(self._kick, loop)
        return await job.future

    def _kick(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            self._kicking.discard(loop)
            self._rouse()

    def _rouse(self) -> None:
        if self._idle and self._waiting:
            self._idle = False
            self._wake.release()

    async def close(self) -> None:
        """Lets the thread finish what was accepted and end. Calling it twice is harmless."""
        with self._lock:
            self._closing = True
            if self._idle:
                self._idle = False
                self._wake.release()
        await asyncio.to_thread(self._thread.join)

    def _take(self) -> list[_Job] | None:
        """The next batch; None when the thread is to end."""
        while True:
            with self._lock:
                if self._waiting:
                    waiting = self._waiting
                    return [waiting.popleft() for _ in range(min(len(waiting), _BATCH))]
                if self._closing:
                    return None
                self._idle = True
            self._wake.acquire()

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            try:
                self._commit(batch)
            except Exception as problem:  # noqa: BLE001 - the thread must outlive whatever a batch meets
                self._give_up(batch, problem)
            _answer(batch)
        if self._connection is not None:
            self._connection.close()
        self._turn.close()

    def _commit(self, batch: list[_Job]) -> None:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        self._turn.begin(connection)
        execute = connection.cursor().execute
        try:
            for job in batch:
                _apply(execute, job, careful=False)
        except _Redo:
            connection.execute("ROLLBACK")
            self._turn.begin(connection)
            for job in batch:
                _apply(execute, job, careful=True)
        connection.execute("COMMIT")

    def _give_up(self, batch: list[_Job], problem: Exception) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.rollback()
            # after a full disk or a lost file a fresh connection is the only one whose state is known
            with suppress(sqlite3.Error):
                connection.close()
        refused = StoreUnavailable(f"the database did not take the commit: {problem}")
        refused.__cause__ = problem
        for job in batch:
            job.outcome = refused


def _apply(
    execute: Callable[[str, tuple[str | int | bytes | None, ...]], sqlite3.Cursor],
    job: _Job,
    *,
    careful: bool,
) -> None:
    """Runs the statements of one commit inside the open transaction and notes its outcome.

    Raises `_Redo` when it left something that only a savepoint could undo, and `sqlite3.Error` when the database is broken.
    """
    steps = job.steps
    savepoint = job.savepoint or (careful and len(steps) > 1)
    if savepoint:
        execute("SAVEPOINT one", ())
    done = 0
    changed = 0
    try:
        for sql, params, must in steps:
            count = execute(sql, params).rowcount
            if must is not None and count != must:
                break
            changed += count
            done += 1
        else:
            job.outcome = changed
            if savepoint:
                execute("RELEASE one", ())
            return
        job.outcome = LOST
        clean = done == 0 and count == 0
    except Exception as problem:
        outcome = _verdict(problem)
        if outcome is None:
            raise
        job.outcome = outcome
        # a statement that failed has undone itself
        clean = done == 0
    if savepoint:
        execute("ROLLBACK TO one", ())
        execute("RELEASE one", ())
    elif not clean:
        raise _Redo


def _verdict(problem: Exception) -> int | Exception | None:
    """What a failed statement means for its commit; None when it is the whole database that failed."""
    if isinstance(problem, sqlite3.Error):
        code: int = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code & 0xFF in _BROKEN:
            return None
        if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
            return LOST
        conflict = StoreConflict(f"the database refused a change: {problem}")
        conflict.__cause__ = problem
        return conflict
    # a value that the database cannot hold: an integer beyond 64 bits, text that is not Unicode
    return problem


def _answer(batch: list[_Job]) -> None:
    """Wakes everybody who waited, once per loop."""
    loops: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in batch:
        loops.setdefault(job.loop, []).append(job)
    for loop, jobs in loops.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, jobs)


def _resolve(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        outcome = job.outcome
        if isinstance(outcome, int):
            job.future.set_result(outcome)
        else:
            job.future.set_exception(outcome)
