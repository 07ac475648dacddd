"""Write fence of a move: the source refuses writes while the mover lives, and for ever once the move is complete.

The fence is a row with an end time, and a trigger on every table that reads it: commits of a running server are refused
at once, and it answers 503. The mover postpones the end time while it works. If the mover is killed, the end time
passes and the server continues as before.

Clocks decide only how long to wait for a dead mover. The first write after the end time marks the fence in the same
transaction: a mover that was suspended, or whose source had its clock set, finds the mark and gives up.
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
"""The error text of a refused commit; both engines map it to a temporary failure."""
LEASE: Final = 30
"""Seconds after which writes are allowed again when the mover is dead."""
FOR_EVER: Final = 2**62
LONGEST: Final = 2 * LEASE
"""Seconds: an end time further ahead was written before the clock was set back, and counts as passed."""
VERBS: Final = (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
"""The kinds of writes, and the row that a trigger sees of each."""
WRITTEN: Final = "''"
"""SQL for the owner of a fence after a write behind it: no owner."""
_EVERY: Final = 5.0
_SET: Final = 10.0
# one row: if two movers start at once, one of them gets it
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
    """SQL condition: the row of `fence` refuses writes at the time of the SQL expression `now`."""
    return f"(until = {FOR_EVER} OR (until > {now} AND until <= {now} + {LONGEST}))"


@final
class Fence:
    """The fence of one move. `owner` is random for each run, so that two movers never share one."""

    def __init__(self, source: Side, tables: Sequence[Table], owner: str) -> None:
        self._source = source
        self._tables = tables
        self._owner = owner
        self._renewed = 0
        self._renewed_at = 0.0
        self._clock_set = 0.0

    async def up(self) -> None:
        """Refuse all writes from now on. Raises `CopyRefused` when another move is running."""
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
        """Postpone the end time if it is due. Raises `CopyRefused` when the source was written to behind the fence."""
        if time.monotonic() - self._renewed_at >= _EVERY:
            async with self._source.transaction():
                await self._renew()

    async def during(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` at the target and keep the fence up meanwhile. Raises `CopyRefused` as `keep` does."""
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
                    # it did not end cleanly; the error that interrupted us is the one to report
                    task.exception()

    async def for_ever(self, target: str) -> None:
        """Refuse writes permanently, and record in the database where its data went."""
        async with self._source.transaction():
            await self._renew(until=FOR_EVER)
            await self._source.run(PUT_META, (MOVED, target))

    async def down(self) -> None:
        """Allow writes again; does nothing when another move has taken over."""
        others = "SELECT 1 FROM fence WHERE owner <> ?"
        if await self._source.has("fence") and not await self._source.rows(others, (self._owner,)):
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
    """By how many seconds a clock was set; 0 if it only runs slightly faster or slower than ours."""
    return seconds if abs(seconds) > _SET else 0.0


async def lift(source: Side, tables: Sequence[Table]) -> None:
    """Remove a fence, whichever move owns it, and the mark of a completed move."""
    if not await source.has("fence"):
        return
    async with source.transaction():
        await source.run("DELETE FROM fence")
        await source.run("DELETE FROM meta WHERE name = ?", (MOVED,))
    # Writes are allowed from here on. The triggers are harmless if they stay because a long read blocks the change.
    with suppress(CopyRefused):
        async with source.transaction():
            await source.drop_fence(tables)
