"""Group commit: one thread takes all waiting commits and writes them as one transaction, with one disk flush.

Each commit has its own outcome: a lost guard or a constraint error undoes that commit alone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import final

from doorward.core.errors import StoreUnavailable
from doorward.storage.sql.statements import Step
from doorward.storage.sqlite.batch import Redo, WaitingCommit, run
from doorward.storage.sqlite.write_lock import Turn

# The batch size is limited so that another process gets its turn, and the first commit does not wait for many others.
_BATCH = 256
# So many waiting commits are written at once, however busy the event loop is. Fewer wait until it has nothing else to do: a
# transaction costs as much as the statements of several commits, and its flush is too short for many to gather meanwhile.
# They wait for so many seconds at most.
_ENOUGH = 8
_PATIENCE = 0.002


@final
class Writer:
    """The writer thread. `connect` opens its connection; `turn` alternates between processes."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], turn: Turn) -> None:
        self._connect = connect
        self._turn = turn
        self._waiting: deque[WaitingCommit] = deque()
        self._lock = threading.Lock()
        self._idle = False
        self._closing = False
        self._kicking: set[asyncio.AbstractEventLoop] = set()
        self._wake = threading.Semaphore(0)
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._run, name="doorward-sqlite-writer", daemon=True)
        self._thread.start()

    async def apply(self, steps: Sequence[Step]) -> int:
        """Queue one commit and wait until it is on disk. See `Database.apply`."""
        loop = asyncio.get_running_loop()
        job = WaitingCommit(steps, loop)
        with self._lock:
            if self._closing:
                raise StoreUnavailable("the store is closed")
            self._waiting.append(job)
            if self._idle and loop not in self._kicking:
                self._kicking.add(loop)
                loop.call_soon(self._kick, loop, 0, loop.time() + _PATIENCE)
        return await job.future

    def _kick(self, loop: asyncio.AbstractEventLoop, before: int, until: float) -> None:
        """Wake the thread, unless the last turn of the event loop brought more commits and will perhaps bring others: all that are
        ready join one batch, and the two threads do not compete for the interpreter meanwhile. `before`: how many waited then."""
        with self._lock:
            number = len(self._waiting)
            if self._idle and before < number < _ENOUGH and loop.time() < until:
                loop.call_soon(self._kick, loop, number, until)
                return
            self._kicking.discard(loop)
            if self._idle and number:
                self._idle = False
                self._wake.release()

    async def close(self) -> None:
        """Let the thread finish accepted commits and end. A second call has no effect."""
        with self._lock:
            self._closing = True
            if self._idle:
                self._idle = False
                self._wake.release()
        await asyncio.to_thread(self._thread.join)

    def _take(self) -> list[WaitingCommit] | None:
        """The next batch; None when the thread must end."""
        woken = False
        while True:
            with self._lock:
                waiting = self._waiting
                if waiting and (woken or self._closing or len(waiting) >= _ENOUGH or not self._leave()):
                    return [waiting.popleft() for _ in range(min(len(waiting), _BATCH))]
                if self._closing:
                    return None
                self._idle = True
            self._wake.acquire()
            woken = True

    def _leave(self) -> bool:
        """Leave the few that wait to their event loops, which wake the thread when they have nothing else to do. False: a loop is closed."""
        try:
            for loop in {job.loop for job in self._waiting} - self._kicking:
                loop.call_soon_threadsafe(self._kick, loop, 0, loop.time() + _PATIENCE)
                self._kicking.add(loop)
        except RuntimeError:
            return False
        return True

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

    def _commit(self, batch: list[WaitingCommit]) -> None:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        self._turn.begin(connection)
        execute = connection.cursor().execute
        if len(batch) == 1:
            # The only commit of this transaction: if it loses half-way, the whole transaction is rolled back. A
            # savepoint would first copy every page that it changes.
            batch[0].savepoint = False
        try:
            for job in batch:
                run(execute, job, careful=False)
        except Redo:
            connection.execute("ROLLBACK")
            self._turn.begin(connection)
            for job in batch:
                run(execute, job, careful=True)
        connection.execute("COMMIT")

    def _give_up(self, batch: list[WaitingCommit], problem: Exception) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.rollback()
            # after a full disk or a lost file only a new connection has a known state
            with suppress(sqlite3.Error):
                connection.close()
        refused = StoreUnavailable(f"the database did not take the commit: {problem}")
        refused.__cause__ = problem
        for job in batch:
            job.outcome = refused


def _answer(batch: list[WaitingCommit]) -> None:
    """Wake all waiting callers, once per event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[WaitingCommit]] = {}
    for job in batch:
        loops.setdefault(job.loop, []).append(job)
    for loop, jobs in loops.items():
        with suppress(RuntimeError):  # the loop is closed: no caller waits any more
            loop.call_soon_threadsafe(_resolve, jobs)


def _resolve(jobs: list[WaitingCommit]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        outcome = job.outcome
        if isinstance(outcome, int):
            job.future.set_result(outcome)
        else:
            job.future.set_exception(outcome)
