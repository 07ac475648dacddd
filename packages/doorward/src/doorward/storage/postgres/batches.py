"""Changes of one row each that wait together, sent as one statement: one round trip and one flush to disk for all.

While a statement is under way, those that arrive wait for the next. One that arrives alone is sent at once, as ever.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, final

from doorward.storage.postgres.commit import Committer
from doorward.storage.postgres.pool import Pool
from doorward.storage.sql.statements import Param, Step
from doorward.storage.sql.text import Statement

LANES: Final = 2
"""Statements under way at a time. One more makes the batches smaller and leaves more of their cost to each change."""
MOST: Final = 64
"""Changes in one statement. A row that another transaction has locked holds up those of its statement."""

Waiting = tuple[Statement, tuple[Param, ...], asyncio.Future[int]]


@final
class Batches:
    """The waiting changes of one event loop. `start` runs a coroutine that outlives the caller, and that `close` waits for."""

    def __init__(
        self, committer: Committer, pool: Pool, start: Callable[[Coroutine[Any, Any, int]], object]
    ) -> None:
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
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((sql, params, done))
        if self._lanes < LANES and not self._starting:
            self._lanes += 1
            self._starting = True
            # it runs in the next turn of the event loop: whatever is ready in this one joins
            self._start(self._lane())
        return await done

    async def _lane(self) -> int:
        self._starting = False
        try:
            while batch := self._next():
                statement = batch[0][0]
                outcomes = await self._committer.many(self._pool, statement, [one[1] for one in batch])
                for (_, _, done), outcome in zip(batch, outcomes, strict=True):
                    if done.done():
                        continue
                    if isinstance(outcome, Exception):
                        done.set_exception(outcome)
                    else:
                        done.set_result(outcome)
        finally:
            self._lanes -= 1
        return 0

    def _next(self) -> list[Waiting]:
        """The next changes of one kind."""
        waiting = self._waiting
        batch: list[Waiting] = []
        while waiting and len(batch) < MOST and (not batch or waiting[0][0] is batch[0][0]):
            batch.append(waiting.popleft())
        return batch
