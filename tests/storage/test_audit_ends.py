"""Retention of the audit log: old lines are removed in small batches, and nothing else."""

from __future__ import annotations

import asyncio
import time

import pytest

from doorward.adapters.random import SystemRandom
from doorward.core.errors import StoreConflict
from doorward.storage.sql.statements import write
from doorward.storage.sql.store import Store
from tests.storage.samples import DAY, SEEN, event
from tests.storage.stores import THEMSELVES, on

pytestmark = pytest.mark.anyio

KEEP = 400 * DAY


def aged(days: float) -> str:
    """The id of a line written this many days ago."""
    return SystemRandom(lambda: time.time() - days * DAY).new_id("aud")


async def written(store: Store, *ids: str) -> None:
    assert await store.commit(*(store.audit.append(event(id=one)) for one in ids))


async def test_old_lines_are_removed_and_younger_ones_stay(store: Store) -> None:
    old, young = [aged(900), aged(402), aged(400.1)], [aged(399.9), aged(1), aged(0)]
    await written(store, *old, *young)
    assert await store.audit.prune(int(time.time()), KEEP) == 3
    assert await store.audit.prune(int(time.time()), KEEP) == 0
    assert [one.id for one in await store.audit.page()] == young[::-1]
    assert [one.id for one in await store.audit.of_account("usr_ada", SEEN)] == young[::-1]
    assert [one.id for one in await store.audit.page(before=young[1], limit=5)] == young[:1]
    assert await store.sweep(int(time.time())) == 0


async def test_lines_are_removed_oldest_first_in_batches(store: Store) -> None:
    lines = sorted(aged(500 + number) for number in range(7))
    await written(store, *lines)
    now = int(time.time())
    assert await store.audit.prune(now, KEEP, 3) == 3
    assert [one.id for one in await store.audit.page()] == lines[:2:-1]
    assert [await store.audit.prune(now, KEEP, 3) for _ in range(3)] == [3, 1, 0]
    assert await store.audit.page() == []


@on(*THEMSELVES)
async def test_deleting_younger_lines_and_changing_any_line_stays_refused(store: Store) -> None:
    await written(store, aged(900), young := aged(100))
    assert await store.audit.prune(int(time.time()), KEEP) == 1
    for statement in ("DELETE FROM audit", f"DELETE FROM audit WHERE id = '{young}'"):
        with pytest.raises(StoreConflict, match="append-only"):
            await store.commit(write(statement))
    await written(store, late := aged(800))
    with pytest.raises(StoreConflict, match="append-only"):
        await store.commit(write(f"UPDATE audit SET ok = 0 WHERE id = '{late}'"))
    assert [one.id for one in await store.audit.page()] == [young, late]


async def test_nothing_is_removed_for_a_clock_before_the_epoch(store: Store) -> None:
    await written(store, line := aged(900))
    assert await store.audit.prune(1000, KEEP) == 0
    assert [one.id for one in await store.audit.page()] == [line]


async def test_two_concurrent_sweeps_remove_each_line_once(store: Store, other: Store) -> None:
    lines = [aged(500 + number) for number in range(40)]
    await written(store, *lines, kept := aged(3))
    now = int(time.time())

    async def all_of(one: Store) -> int:
        went = 0
        while gone := await one.audit.prune(now, KEEP, 3):
            went += gone
        return went

    assert sum(await asyncio.gather(all_of(store), all_of(other))) == 40
    assert [one.id for one in await other.audit.page()] == [kept]


async def test_writes_continue_during_removal(store: Store) -> None:
    await written(store, *(aged(500 + number / 100) for number in range(2000)))

    async def prune() -> None:
        while await store.audit.prune(int(time.time()), KEEP, 100):
            pass

    going = asyncio.create_task(prune())
    during = 0
    while not going.done():
        await written(store, aged(0))
        during += 1
    await going
    # the removal takes twenty commits, and each lets a waiting write through
    assert during > 5
    assert all(one.id > aged(1) for one in await store.audit.page(limit=10_000))
