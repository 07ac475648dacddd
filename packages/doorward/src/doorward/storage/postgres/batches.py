"""Changes of one row each that wait together, sent as one statement: one round trip and one flush to disk for all.

While a statement is under way, those that arrive wait for the next. One that arrives alone is sent at once, as ever.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, final

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres.commit import Committer
from doorward.storage.postgres.pool import Pool
from doorward.storage.sql.statements import Param, Step
from doorward.storage.sql.text import Statement

LANES: Final = 2
"""Statements under way at a time. One more makes the batches smaller and leaves more of their cost to each change."""
MOST: Final = 64
"""Changes in one statement."""
APART: Final = 2
"""Changes at a time that wait for a row which another transaction has locked. Each holds a connection."""


@final
class Waiting:
    """One change, and its outcome in `done`. `timer` refuses it if it is not sent in time."""

    __slots__ = ("done", "params", "refused", "sql", "timer")

    def __init__(self, sql: Statement, params: tuple[Param, ...], done: asyncio.Future[int]) -> None:
        self.sql = sql
        self.params = params
        self.done = done
        self.refused = False
        self.timer: asyncio.TimerHandle | None = None

    def end(self, outcome: int | Exception) -> None:
        if self.done.done():
            return
        if isinstance(outcome, int):
            self.done.set_result(outcome)
        else:
            self.done.set_exception(outcome)


@final
class Lanes:
    """Changes that wait for one of `number` lanes, each for at most `wait` seconds. A lane takes at most `most` of one kind at a time, and
    `send` gives each its outcome. `start` runs a coroutine that outlives the caller, and that `close` waits for."""

    def __init__(
        self,
        send: Callable[[list[Waiting]], Awaitable[None]],
        start: Callable[[Coroutine[Any, Any, int]], object],
        *,
        number: int,
        most: int,
        wait: float,
    ) -> None:
        self._send = send
        self._start = start
        self._number = number
        self._most = most
        self._wait = wait
        self._waiting: deque[Waiting] = deque()
        self._open = 0
        self._starting = 0

    def put(self, one: Waiting) -> None:
        self._waiting.append(one)
        one.timer = asyncio.get_running_loop().call_later(self._wait, self._refuse, one)
        if self._open < self._number and len(self._waiting) > self._starting * self._most:
            self._open += 1
            self._starting += 1
            # it runs in the next turn of the event loop: whatever is ready in this one joins
            self._start(self._lane())

    async def _lane(self) -> int:
        self._starting -= 1
        batch: list[Waiting] = []
        try:
            while batch := self._next():
                await self._send(batch)
        finally:
            self._open -= 1
            for one in batch:
                one.end(StoreUnavailable("the commit was interrupted; it is not known whether it was made"))
        return 0

    def _next(self) -> list[Waiting]:
        """The next changes of one kind."""
        waiting = self._waiting
        batch: list[Waiting] = []
        while waiting and len(batch) < self._most and (not batch or waiting[0].sql is batch[0].sql):
            one = waiting.popleft()
            if one.timer is not None:
                one.timer.cancel()
            if not one.refused:
                batch.append(one)
        return batch

    def _refuse(self, one: Waiting) -> None:
        one.refused = True
        one.end(StoreUnavailable(f"the database is busy: a commit was not sent within {self._wait:g} s"))
        while self._waiting and self._waiting[0].refused:
            self._waiting.popleft()


@final
class Batches:
    """The waiting changes of one event loop. Those whose row another transaction has locked wait apart, so that they hold up no others.
    `wait` and `start`: see `Lanes`."""

    def __init__(
        self,
        committer: Committer,
        pool: Pool,
        start: Callable[[Coroutine[Any, Any, int]], object],
        *,
        wait: float,
    ) -> None:
        self._committer = committer
        self._pool = pool
        self._together = Lanes(self._send_all, start, number=LANES, most=MOST, wait=wait)
        self._apart = Lanes(self._send_one, start, number=APART, most=1, wait=wait)

    @staticmethod
    def takes(steps: Sequence[Step]) -> bool:
        """Whether a commit may go out together with others: one guarded change of one row that says its types."""
        if len(steps) != 1:
            return False
        sql, _, must = steps[0]
        return must == 1 and isinstance(sql, Statement) and bool(sql.types)

    async def apply(self, steps: Sequence[Step]) -> int:
        """See `Database.apply`; for what `takes` has accepted."""
        sql, params, _ = steps[0]
        assert isinstance(sql, Statement)
        one = Waiting(sql, params, asyncio.get_running_loop().create_future())
        self._together.put(one)
        return await one.done

    async def _send_all(self, batch: list[Waiting]) -> None:
        outcomes = await self._committer.many(self._pool, batch[0].sql, [one.params for one in batch])
        for one, outcome in zip(batch, outcomes, strict=True):
            if outcome is None:
                self._apart.put(one)
            else:
                one.end(outcome)

    async def _send_one(self, batch: list[Waiting]) -> None:
        (one,) = batch
        try:
            one.end(await self._committer.late(self._pool, one.sql, one.params))
        except Exception as problem:  # noqa: BLE001 - the caller raises it
            one.end(problem)
