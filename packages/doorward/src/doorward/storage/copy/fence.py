"""Who may still write while a database moves out? Nobody; and for how long? As long as the mover lives, and for ever once it is done.

The fence is a row that says until when, and a trigger on every table that looks at it: commits of a running server are refused at
once, and it answers 503. The mover puts the time off while it works. Should it be killed, the time comes by itself and the server
goes on as if nothing had been.

Clocks say only how long a dead mover is waited for. Whoever writes first after the time has come says so in the fence itself, in the same
transaction: a mover that slept, or whose source had its clock set, learns from it that somebody wrote, and gives up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, final

from doorward.storage.copy.side import Side
from doorward.storage.copy.tables import MOVED, CopyRefused, Table
from doorward.storage.sql.database_state import PUT_META

FENCED: Final = "doorward: this database is being moved"
"""The text that a refused commit meets; engines know it as a reason to come back later."""
LEASE: Final = 30
"""Seconds until writes are let through again when the mover is gone."""
FOR_EVER: Final = 2**62
LONGEST: Final = 2 * LEASE
"""Seconds: a time further ahead was written before the clock was set back, and counts as come."""
WRITTEN: Final = "''"
"""SQL for the owner of a fence that somebody has written behind: nobody's."""
_EVERY: Final = 5.0
_SET: Final = 10.0
# one row, whoever comes: of two movers at once one has it
_CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS fence"
    " (one BIGINT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, until BIGINT NOT NULL)"
)
_TAKE: Final = (
    "INSERT INTO fence (one, owner, until) VALUES (1, ?, ?)"  # noqa: S608 - constants of this file
    " ON CONFLICT (one) DO UPDATE SET owner = excluded.owner, until = excluded.until"
    f" WHERE fence.owner = {WRITTEN} OR fence.until <= ? OR (fence.until > ? AND fence.until <> {FOR_EVER})"
)
_HOLD: Final = "UPDATE fence SET until = ? WHERE owner = ?"


def in_force(now: str) -> str:
    """SQL: whether the row of `fence` refuses writes at the moment that the SQL `now` says."""
    return f"(until = {FOR_EVER} OR (until > {now} AND until <= {now} + {LONGEST}))"


@final
class Fence:
    """The fence of one move. `owner` is drawn anew for each run, so that two movers never share one."""

    def __init__(self, source: Side, tables: Sequence[Table], owner: str) -> None:
        self._source = source
        self._tables = tables
        self._owner = owner
        self._renewed = 0
        self._renewed_at = 0.0
        self._clock_set = 0.0

    async def up(self) -> None:
        """From here on nobody writes. Raises `CopyRefused` when another move is at work."""
        source = self._source
        now = await source.clock()
        async with source.transaction():
            await source.run(_CREATE)
            if await source.run(_TAKE, (self._owner, now + LEASE, now, now + LONGEST)) != 1:
                until = (await source.rows("SELECT until FROM fence"))[0][0]
                left = (
                    "it is done" if until == FOR_EVER else f"if it was killed, try again in {until - now} s"
                )
                raise CopyRefused(
                    f"{source.place} is being moved by another doorward move.", f"Wait for it; {left}."
                )
        await source.raise_fence(self._tables)
        async with source.transaction():
            await self._renew()

    async def keep(self) -> None:
        """Put the time off, now and then. Raises `CopyRefused` when somebody has written behind the fence."""
        if time.monotonic() - self._renewed_at >= _EVERY:
            async with self._source.transaction():
                await self._renew()

    async def during(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something at the target, however long it takes. Raises `CopyRefused` as `keep` does."""
        task = asyncio.ensure_future(work)
        try:
            while True:
                await asyncio.wait({task}, timeout=_EVERY)
                if task.done():
                    return task.result()
                await self.keep()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
                if not task.cancelled():
                    # it could not even end in order; what interrupted us is what is told
                    task.exception()

    async def for_ever(self, target: str) -> None:
        """Writes are never let through again, and the database says where its data went."""
        async with self._source.transaction():
            await self._renew(until=FOR_EVER)
            await self._source.run(PUT_META, (MOVED, target))

    async def down(self) -> None:
        """Let everybody write again; nothing happens when another move has taken over."""
        others = "SELECT 1 FROM fence WHERE owner <> ?"
        if await self._source.has_fence() and not await self._source.rows(others, (self._owner,)):
            await lift(self._source, self._tables)

    async def _renew(self, *, until: int | None = None) -> None:
        now, at = await self._source.clock(), time.monotonic()
        if self._renewed:
            self._clock_set += _jump((now - self._renewed) - (at - self._renewed_at))
        held = await self._source.run(_HOLD, (now + LEASE if until is None else until, self._owner))
        if held != 1:
            raise await self._lost()
        self._renewed, self._renewed_at = now, at

    async def _lost(self) -> CopyRefused:
        place = self._source.place
        if await self._source.rows("SELECT 1 FROM fence WHERE owner <> ''"):
            what = f"Another doorward move has taken over {place}"
        else:
            what = f"Somebody wrote to {place} during the move"
        why = (
            f"the clock of {place} was set by {self._clock_set:+.0f} s"
            if self._clock_set
            else f"this one stood still for more than {LEASE} s"
        )
        return CopyRefused(f"{what}, since {why}.", "Run the same command again: it goes on where it was.")


def _jump(seconds: float) -> float:
    """By how much a clock was set, if it did not only run a little faster or slower than ours."""
    return seconds if abs(seconds) > _SET else 0.0


async def lift(source: Side, tables: Sequence[Table]) -> None:
    """Take a fence away, whoever put it up, with what was said about it."""
    if not await source.has_fence():
        return
    async with source.transaction():
        await source.run("DELETE FROM fence")
        await source.run("DELETE FROM meta WHERE name = ?", (MOVED,))
    # from here on it is open; what is left of it hurts nobody, should it stay because somebody reads the tables for long
    with suppress(CopyRefused):
        async with source.transaction():
            await source.drop_fence(tables)
