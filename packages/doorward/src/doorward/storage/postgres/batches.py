"""Changes of one row each that wait together, sent as one statement: one round trip and one flush to disk for all.

While a statement is under way, those that arrive wait for the next. One that arrives alone is sent at once, as ever.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, final

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres.commit import Committer
from doorward.storage.postgres.pool import Pool
from doorward.storage.sql.statements import Param, Step
from doorward.storage.sql.text import Statement

LANES: Final = 2
"""Statements under way at a time. One more makes the batches smaller and leaves more of their cost to each change."""
MOST: Final = 64
"""Changes in one statement. A row that another transaction has locked holds up those of its statement."""


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

    def refuse(self, seconds: float) -> None:
        self.refused = True
        if not self.done.done():
            self.done.set_exception(
                StoreUnavailable(f"the database is busy: a commit was not sent within {seconds:g} s")
            )


@final
class Batches:
    """The waiting changes of one event loop, for at most `wait` seconds each. `start` runs a coroutine that outlives the caller, and
    that `close` waits for."""

    def __init__(
        self,
        committer: Committer,
        pool: Pool,
        start: Callable[[Coroutine[Any, Any, int]], object],
        *,
        wait: float,
    ) -> None:
        self._wait = wait
        self._committer = committer
        self._pool = pool
        self._start = start
        self._waiting: deque[Waiting] = deque()
        self._lanes = 0
        self._starting = False

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
        loop = asyncio.get_running_loop()
        one = Waiting(sql, params, loop.create_future())
        self._waiting.append(one)
        if self._lanes < LANES and not self._starting:
            self._lanes += 1
            self._starting = True
            # it runs in the next turn of the event loop: whatever is ready in this one joins
            self._start(self._lane())
        elif not self._starting:
            one.timer = loop.call_later(self._wait, one.refuse, self._wait)
        return await one.done

    async def _lane(self) -> int:
        self._starting = False
        try:
            while batch := self._next():
                params = [one.params for one in batch]
                outcomes = await self._committer.many(self._pool, batch[0].sql, params)
                for one, outcome in zip(batch, outcomes, strict=True):
                    if one.done.done():
                        continue
                    if isinstance(outcome, Exception):
                        one.done.set_exception(outcome)
                    else:
                        one.done.set_result(outcome)
        finally:
            self._lanes -= 1
        return 0

    def _next(self) -> list[Waiting]:
        """The next changes of one kind."""
        waiting = self._waiting
        batch: list[Waiting] = []
        while waiting and len(batch) < MOST and (not batch or waiting[0].sql is batch[0].sql):
            one = waiting.popleft()
            if one.timer is not None:
                one.timer.cancel()
            if not one.refused:
                batch.append(one)
        return batch
