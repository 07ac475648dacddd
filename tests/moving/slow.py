"""Kill of a move in the middle of its work, when the target has so many finished pieces."""

from __future__ import annotations

import asyncio
import time

import asyncpg

from tests.flows.processes import Fleet
from tests.moving.house import doorward
from tests.waiting import PATIENCE


async def killed_at(fleet: Fleet, url: str, *, chunks: int) -> None:
    """kill -9 when so many pieces exist. The move must still be running."""
    mover = doorward(fleet, "move", "doorward.db", url)
    watcher = await asyncpg.connect(url)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            assert mover.poll() is None, mover.communicate()
            assert time.monotonic() < until
            there = await watcher.fetchval("SELECT to_regclass('copy_chunks')::text")
            if there is not None and await watcher.fetchval("SELECT COUNT(*) FROM copy_chunks") >= chunks:
                break
            await asyncio.sleep(0.02)
        mover.kill()
        mover.communicate()
    finally:
        await watcher.close()
