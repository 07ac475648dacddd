"""Tests of a move's write fence: writes behind it are always detected, even after clock changes, and it never stays for ever.

A changed clock is simulated by its effect: the fence's stored time differs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from doorward.core.errors import StoreUnavailable
from doorward.storage.copy.fence import Fence
from doorward.storage.copy.move import move
from doorward.storage.copy.open import open_side
from doorward.storage.copy.side import Side
from doorward.storage.copy.tables import CopyRefused
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store
from tests.moving.crowd import crowd, settle
from tests.moving.test_copy_sqlite import Steps, run_in_thread

pytestmark = pytest.mark.anyio
OPTIONS = PostgresOptions()
MINUTE = 60


@dataclass
class Fenced:
    """A database with a server on it, and two commands: one that moves, one that observes and interferes."""

    place: str
    server: Store
    mover: Side
    meddler: Side
    target: Side
    written: int = field(default=0)

    async def clock_is_set(self, seconds: int) -> None:
        """The effect on the fence of a change of the source's clock by so many seconds."""
        async with self.meddler.transaction():
            await self.meddler.run("UPDATE fence SET until = until - ?", (seconds,))

    async def write(self) -> bool:
        """Whether the server may write."""
        try:
            await self.server.commit(self.server.put_meta("written", f"{self.written + 1}"))
        except StoreUnavailable:
            return False
        self.written += 1
        return True

    async def raised(self, owner: str) -> Fence:
        one = Fence(self.mover, await self.mover.tables(), owner)
        await one.up()
        return one


@pytest.fixture(params=["sqlite", "postgres"])
async def fenced(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Fenced]:
    place = str(tmp_path / "a.db") if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    there = str(tmp_path / "b.db")
    async with AsyncExitStack() as stack:
        server = await open_store(place)
        stack.push_async_callback(server.close)
        await settle(server, crowd(), 0, 30)
        await (await open_store(there)).close()
        sides = [await open_side(one, OPTIONS) for one in (place, place, there)]
        for side in sides:
            stack.push_async_callback(side.aclose)
        yield Fenced(place, server, sides[0], sides[1], sides[2])


async def test_the_fence_blocks_all_writes_while_it_is_up_and_none_afterwards(fenced: Fenced) -> None:
    one = await fenced.raised("one")
    assert not await fenced.write()
    await one.keep()
    assert not await fenced.write()
    await one.down()
    assert await fenced.write()


@pytest.mark.parametrize("seconds", [31, 86_400, -61, -86_400])
async def test_the_fence_of_a_dead_mover_expires_whatever_the_clock_does(
    fenced: Fenced, seconds: int
) -> None:
    await fenced.raised("dead")
    assert not await fenced.write()
    await fenced.clock_is_set(seconds)
    assert await fenced.write()
    assert await fenced.write()
    # and the next move is admitted at once
    again = await fenced.raised("two")
    assert not await fenced.write()
    await again.for_ever("elsewhere")
    assert not await fenced.write()


@pytest.mark.parametrize("back", [False, True])
async def test_a_write_behind_the_fence_is_detected_even_after_the_clock_is_corrected(
    fenced: Fenced, back: bool
) -> None:
    one = await fenced.raised("one")
    await fenced.clock_is_set(MINUTE)
    assert await fenced.write()
    if back:
        await fenced.clock_is_set(-MINUTE)
    with pytest.raises(CopyRefused, match="Somebody wrote"):
        await one.for_ever("elsewhere")
    await one.down()
    assert await fenced.write()


async def test_a_mover_that_was_suspended_continues_when_nothing_was_written(fenced: Fenced) -> None:
    one = await fenced.raised("one")
    await fenced.clock_is_set(86_400)
    await one.for_ever("elsewhere")
    assert not await fenced.write()


async def test_a_changed_clock_is_named_in_the_message(
    fenced: Fenced, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = fenced.mover.clock

    async def later() -> int:
        return await right() + MINUTE

    one = await fenced.raised("one")
    await fenced.clock_is_set(MINUTE)
    assert await fenced.write()
    monkeypatch.setattr(fenced.mover, "clock", later)
    with pytest.raises(CopyRefused, match=r"clock of .* was set by \+60 s"):
        await one.for_ever("elsewhere")


async def test_a_move_during_which_a_server_wrote_is_refused_and_its_second_run_has_the_write(
    fenced: Fenced,
) -> None:
    """The write happens during the last comparison, after the rows have been read."""

    class Late(Steps):
        done = False

        def begin(self, what: str, rows: int) -> None:
            super().begin(what, rows)
            self.done = what == "compare"

        def step(self, table: str, rows: int) -> None:
            super().step(table, rows)
            if self.done and table == "sessions":
                self.done = False
                run_in_thread(meddle())

    async def meddle() -> None:
        store, side = await open_store(fenced.place), await open_side(fenced.place, OPTIONS)
        other = Fenced(fenced.place, store, side, side, side)
        await other.clock_is_set(MINUTE)
        assert await other.write()
        await other.clock_is_set(-MINUTE)
        await store.close()
        await side.aclose()

    with pytest.raises(CopyRefused, match="Somebody wrote"):
        await move(fenced.mover, fenced.target, owner="one", progress=Late(), size=10)
    assert await fenced.write()
    await move(fenced.mover, fenced.target, owner="two", progress=Steps(), size=10)
    rows = await fenced.target.rows("SELECT value FROM meta WHERE name = 'written'")
    assert rows == [("1",)]
    assert not await fenced.write()


async def test_a_suspended_mover_gives_up_after_another_took_over(fenced: Fenced) -> None:
    one = await fenced.raised("one")
    await fenced.clock_is_set(MINUTE)
    other = Fence(fenced.meddler, await fenced.meddler.tables(), "two")
    await other.up()
    with pytest.raises(CopyRefused, match="Another doorward move"):
        await one.for_ever("elsewhere")
    await one.down()
    assert not await fenced.write(), "it leaves the other mover's fence alone"
    await other.down()
    assert await fenced.write()


async def test_all_waiting_writers_may_write_once_the_fence_has_expired(fenced: Fenced) -> None:
    one = await fenced.raised("one")
    await fenced.clock_is_set(MINUTE)
    writes = [fenced.server.put_meta(f"name {number}", "x") for number in range(40)]
    assert all(await asyncio.gather(*(fenced.server.commit(each) for each in writes)))
    with pytest.raises(CopyRefused, match="Somebody wrote"):
        await one.for_ever("elsewhere")
