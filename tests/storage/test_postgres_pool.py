"""Connection pool: order of waiting callers, time limits, and removal of connections after one has broken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres import pool as postgres_pool
from doorward.storage.postgres.pool import Held, Pool
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio


class Line:
    """A connection without a server."""

    def __init__(self) -> None:
        self.closed = False
        self.busy = False

    async def execute(self, query: str, /, *args: Any, **how: Any) -> str:
        return f"{query} {len(args)}"

    async def fetch(self, query: str, /, *args: Any) -> list[Any]:
        return [query, args]

    async def close(self) -> None:
        self.closed = True

    def terminate(self) -> None:
        self.closed = True

    def is_closed(self) -> bool:
        return self.closed

    def is_in_transaction(self) -> bool:
        return self.busy


class Lines:
    """Makes connections, slowly if required, or not at all."""

    def __init__(self) -> None:
        self.made: list[Line] = []
        self.refused: Exception | None = None
        self.pause = 0.0

    async def __call__(self) -> Line:
        await asyncio.sleep(self.pause)
        if self.refused:
            raise self.refused
        self.made.append(Line())
        return self.made[-1]


def pool(lines: Lines, size: int = 2, wait: float = 0.2) -> Pool:
    return Pool(lines, size=size, wait=wait)


async def test_the_last_used_connection_is_reused_first() -> None:
    lines = Lines()
    one = pool(lines)
    first, second = await one.take(), await one.take()
    one.give(second)
    one.give(first)
    for _ in range(3):
        again = await one.take()
        assert again is first
        one.give(again)
    assert len(lines.made) == 2


async def test_callers_wait_in_order_with_a_time_limit() -> None:
    lines = Lines()
    one = pool(lines, size=1)
    held = await one.take()
    served: list[int] = []

    async def wait(number: int) -> None:
        mine = await one.take()
        served.append(number)
        one.give(mine)

    waiting = [asyncio.create_task(wait(number)) for number in range(5)]
    await asyncio.sleep(0.01)
    one.give(held)
    await asyncio.gather(*waiting)
    assert served == [0, 1, 2, 3, 4]
    held = await one.take()
    began = asyncio.get_running_loop().time()
    with pytest.raises(StoreUnavailable, match="none of 1 connections"):
        await one.take()
    assert 0.15 < asyncio.get_running_loop().time() - began < 2
    one.give(held)
    assert len(lines.made) == 1


async def test_a_broken_connection_frees_its_slot_for_a_waiting_caller() -> None:
    lines = Lines()
    one = pool(lines, size=1, wait=5)
    held = await one.take()
    waiting = asyncio.create_task(one.take())
    await asyncio.sleep(0)
    one.drop(held)
    fresh = await waiting
    assert fresh is not held
    assert (lines.made[0].closed, lines.made[1].closed) == (True, False)


async def test_a_broken_connection_makes_all_older_ones_suspect() -> None:
    lines = Lines()
    one = pool(lines, size=3)
    broken, busy, idle = [await one.take() for _ in range(3)]
    one.give(idle)
    one.drop(broken)
    one.suspect_all()
    assert [line.closed for line in lines.made] == [True, False, True]
    # the user of one finishes; it is not used again
    one.give(busy)
    assert lines.made[1].closed
    fresh = await one.take()
    one.give(fresh)
    assert await one.take() is fresh
    assert not lines.made[3].closed


async def test_a_connection_with_an_open_transaction_is_never_reused() -> None:
    lines = Lines()
    one = pool(lines)
    held = await one.take()
    lines.made[0].busy = True
    one.give(held)
    assert lines.made[0].closed
    assert await one.take() is not held


async def test_a_connection_that_was_idle_too_long_is_not_reused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_pool, "_STALE_SECONDS", 3600)
    lines = Lines()
    one = pool(lines)
    held = await one.take()
    one.give(held)
    assert await one.take() is held
    one.give(held)
    monkeypatch.setattr(postgres_pool, "_STALE_SECONDS", 0.02)
    await asyncio.sleep(0.05)
    assert await one.take() is not held
    assert lines.made[0].closed


async def test_a_failed_connection_frees_its_slot() -> None:
    lines = Lines()
    one = pool(lines, size=1, wait=5)
    lines.refused = OSError("refused")
    lines.pause = 0.01
    outcomes = await asyncio.gather(*(one.take() for _ in range(20)), return_exceptions=True)
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    assert all(
        isinstance(outcome.__cause__, OSError) for outcome in outcomes if isinstance(outcome, BaseException)
    )
    lines.refused = None
    one.give(await one.take())
    assert len(lines.made) == 1


async def test_a_cancelled_caller_leaks_no_connection() -> None:
    lines = Lines()
    one = pool(lines, size=1, wait=5)
    for given_first in (True, False):
        held = await one.take()
        waiting = asyncio.create_task(one.take())
        await asyncio.sleep(0)
        if given_first:
            # it was handed over already, and no caller takes it
            one.give(held)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        if not given_first:
            one.give(held)
        async with asyncio.timeout(PATIENCE):
            again: Held = await one.take()
        one.give(again)
    assert len(lines.made) == 1
    # the same while a slot for a new connection is handed over
    held = await one.take()
    waiting = asyncio.create_task(one.take())
    await asyncio.sleep(0)
    one.drop(held)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(PATIENCE):
        one.give(await one.take())


async def test_closing_closes_idle_and_returned_connections() -> None:
    lines = Lines()
    one = pool(lines)
    busy, idle = await one.take(), await one.take()
    one.give(idle)
    await one.close()
    one.give(busy)
    assert [line.closed for line in lines.made] == [True, True]
