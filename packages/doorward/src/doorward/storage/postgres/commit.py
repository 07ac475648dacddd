"""PostgreSQL commit: one statement where its parts are independent, else a short transaction.

Read committed, with guards in the statements: after waiting for a row lock PostgreSQL evaluates the guard again on the
current row. `storage/postgres/errors.py` lists what is safe to repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import final

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres.errors import (
    again,
    better_apart,
    contended,
    nobody_home,
    not_text,
    row_is_gone,
    state_of,
    unholdable,
    verdict,
)
from doorward.storage.postgres.gate import Gate
from doorward.storage.postgres.merge import Group, Kind, apart, groups, overtaken
from doorward.storage.postgres.pool import Connection, Pool
from doorward.storage.postgres.text import for_many, lock_for
from doorward.storage.postgres.use import settle, storable
from doorward.storage.sql.statements import LOST, Param, Step
from doorward.storage.sql.text import Statement

_TRIES = 10
# With any number of writers on one row, one succeeds each time; the others retry for at most this long.
_CONTENTION_SECONDS = 3.0
_PAUSE_SECONDS, _LONGEST_PAUSE = 0.003, 0.1
# More kinds of commits than the program has statements: then some code generates statements, and memory must stay
# bounded.
_PLANS = 2048


@final
class Committer:
    """Caches a plan for each kind of commit. `join=False`: each statement is sent separately, for one commit."""

    def __init__(self, *, join: bool = True) -> None:
        self.joins = join
        self._read = groups if join else apart
        self._plans: dict[tuple[Kind, ...], tuple[Group, ...]] = {}
        self._gate = Gate()

    async def commit(self, pool: Pool, steps: Sequence[Step]) -> int:
        """See `Database.apply`."""
        await self._gate.passed(pool)
        plan = self._plan(steps)
        params = [step[1] for step in steps]
        tries = 0
        until = asyncio.get_running_loop().time() + _CONTENTION_SECONDS
        while True:
            held = pool.at_once() or await pool.take()
            connection = held.connection
            try:
                if len(plan) == 1 and plan[0].whole:
                    changed = await _run(connection, plan[0], params)
                else:
                    changed = await _transaction(connection, plan, params)
            except BaseException as problem:
                await settle(pool, held, problem)
                if not isinstance(problem, Exception):
                    raise
                if isinstance(problem, TimeoutError):
                    self._gate.unanswered()
                if overtaken(state_of(problem), str(problem)) or row_is_gone(problem):
                    return LOST
                if better_apart(problem) and any(group.count > 1 for group in plan):
                    # Joined, an insert may meet the winner's row before its guard has lost, or two inserts may have one
                    # key. Nothing was written; one after the other, the statements report which it is.
                    plan = apart([(step[0], step[2]) for step in steps])
                    continue
                tries += 1
                tired = asyncio.get_running_loop().time() > until if contended(problem) else tries >= _TRIES
                if tired or not (again(problem) or not_text(problem)):
                    raise unholdable(problem) or verdict(problem, "did not take the commit") from problem
                if not_text(problem):
                    params = [storable(one) for one in params]
                else:
                    await asyncio.sleep(_pause(tries))
            else:
                pool.give(held)
                return changed

    async def many(
        self, pool: Pool, update: Statement, rows: Sequence[tuple[Param, ...]]
    ) -> Sequence[int | Exception | None]:
        """Commit one guarded change of one row for each of `rows`, in one statement that waits for no row: 1, `LOST`, or the exception to raise,
        for each as if it had been committed alone. None: nothing was written for this one, `late` tells what becomes of it."""
        try:
            await self._gate.passed(pool)
            held = pool.at_once() or await pool.take()
            try:
                ((free, won),) = await held.connection.fetch(for_many(update), *zip(*rows, strict=True))
            except BaseException as problem:
                await settle(pool, held, problem)
                if isinstance(problem, TimeoutError):
                    self._gate.unanswered()
                raise
        except StoreUnavailable as problem:
            return [problem] * len(rows)
        except Exception as problem:  # noqa: BLE001 - the callers raise it
            if not nobody_home(problem) or again(problem):
                # The database wrote nothing. What it refused may concern one row only.
                return [None] * len(rows)
            refused = verdict(problem, "did not take the commit")
            refused.__cause__ = problem
            return [refused] * len(rows)
        pool.give(held)
        # a row that was not locked is locked by another transaction, or it is not there
        outcomes: list[int | None] = [None] * len(rows)
        for place in free:
            outcomes[place - 1] = LOST
        for place in won:
            outcomes[place - 1] = 1
        return outcomes

    async def late(self, pool: Pool, update: Statement, params: tuple[Param, ...]) -> int:
        """The same for one change, which waits for its row: 1 or `LOST`. The guard is read after the wait, by a statement of its own."""
        lock, key = lock_for(update)
        changed = await self.commit(pool, ((lock, (params[key],), None), (update, params, 1)))
        return LOST if changed == LOST else 1

    def _plan(self, steps: Sequence[Step]) -> tuple[Group, ...]:
        kind = tuple([(step[0], step[2]) for step in steps])
        found = self._plans.get(kind)
        if found is None:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            found = self._plans[kind] = self._read(kind)
        return found


async def _transaction(
    connection: Connection, plan: Sequence[Group], params: Sequence[tuple[Param, ...]]
) -> int:
    changed = 0
    place = 0
    await connection.execute("BEGIN")
    for group in plan:
        count = await _run(connection, group, params[place : place + group.count])
        if count == LOST:
            await connection.execute("ROLLBACK")
            return LOST
        changed += count
        place += group.count
    if await connection.execute("COMMIT") != "COMMIT":
        raise StoreUnavailable("the database undid the commit")
    return changed


async def _run(connection: Connection, group: Group, params: Sequence[tuple[Param, ...]]) -> int:
    if group.count > 1:
        ((count,),) = await connection.fetch(group.sql, *[value for one in params for value in one])
    else:
        count = int((await connection.execute(group.sql, *params[0])).rpartition(" ")[2])
    return LOST if group.must is not None and count != group.must else count


def _pause(tries: int) -> float:
    """Grows with each try, with jitter so that two conflicting commits do not meet again."""
    longest = min(_PAUSE_SECONDS * 2**tries, _LONGEST_PAUSE)
    return longest * (0.5 + asyncio.get_running_loop().time() * 1e5 % 1)
