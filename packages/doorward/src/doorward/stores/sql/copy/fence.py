"""Who may still write while a database moves out? Nobody; and for how long? As long as the mover lives, and for ever once it is done.

The fence is a row that says until when, and a trigger on every table that looks at it: commits of a running server are refused at
once, and it answers 503. The mover puts the time off while it works. Should it be killed, the time comes by itself and the server
goes on as if nothing had been; should it only have slept, it learns from the row that it was too late, and gives up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, final

from doorward.stores.sql.copy.side import Side
from doorward.stores.sql.copy.tables import MOVED, CopyRefused, Table

FENCED: Final = "doorward: this database is being moved"
"""The text that a refused commit meets; engines know it as a reason to come back later."""
LEASE: Final = 30
"""Seconds until writes are let through again when the mover is gone."""
_EVERY: Final = 5
_FOR_EVER: Final = 2**62
# one row, whoever comes: of two movers at once one has it
_CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS fence"
    " (one BIGINT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, until BIGINT NOT NULL)"
)
_TAKE: Final = (
    "INSERT INTO fence (one, owner, until) VALUES (1, ?, ?)"
    " ON CONFLICT (one) DO UPDATE SET owner = excluded.owner, until = excluded.until WHERE fence.until <= ?"
)
_PUT_MARK: Final = (
    "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


@final
class Fence:
    """The fence of one move. `owner` is drawn anew for each run, so that two movers never share one."""

    def __init__(self, source: Side, tables: Sequence[Table], owner: str) -> None:
        self._source = source
        self._tables = tables
        self._owner = owner
        self._renewed = 0

    async def up(self) -> None:
        """From here on nobody writes. Raises `CopyRefused` when another move is at work."""
        source = self._source
        now = await source.clock()
        async with source.transaction():
            await source.run(_CREATE)
            if await source.run(_TAKE, (self._owner, now + LEASE, now)) != 1:
                until = (await source.rows("SELECT until FROM fence"))[0][0]
                left = (
                    f"if it was killed, try again in {until - now} s"
                    if until <= now + LEASE
                    else "it is done"
                )
                raise CopyRefused(
                    f"{source.place} is being moved by another doorward move.", f"Wait for it; {left}."
                )
        await source.raise_fence(self._tables)
        async with source.transaction():
            await self._renew()

    async def keep(self) -> None:
        """Put the time off, now and then. Raises `CopyRefused` when it had come: somebody may have written since."""
        if await self._source.clock() - self._renewed >= _EVERY:
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
            await self._renew(until=_FOR_EVER)
            await self._source.run(_PUT_MARK, (MOVED, target))

    async def down(self) -> None:
        """Let everybody write again; nothing happens when another move has taken over."""
        others = "SELECT 1 FROM fence WHERE owner <> ?"
        if await self._source.has_fence() and not await self._source.rows(others, (self._owner,)):
            await lift(self._source, self._tables)

    async def _renew(self, *, until: int | None = None) -> None:
        now = await self._source.clock()
        held = await self._source.run(
            "UPDATE fence SET until = ? WHERE owner = ? AND until > ?",
            (now + LEASE if until is None else until, self._owner, now),
        )
        if held != 1:
            raise CopyRefused(
                f"The move stood still for more than {LEASE} s, so {self._source.place} takes writes again.",
                "Run the same command again: it goes on where it was.",
            )
        self._renewed = now


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
