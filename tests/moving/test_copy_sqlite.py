"""Tests of a move from one SQLite database to another, with interruptions."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from doorward.core.errors import StoreUnavailable
from doorward.core.model.copied import MoveResult
from doorward.storage.copy.move import move
from doorward.storage.copy.sqlite_side import open_sqlite_side
from doorward.storage.copy.tables import CopyRefused
from tests.moving.crowd import crowd, settle, sqlite_store

pytestmark = pytest.mark.anyio


class Steps:
    """Counts progress steps, and stops after so many."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stages: list[tuple[str, int]] = []
        self.rows = 0
        self._left = stop_after

    def begin(self, what: str, rows: int) -> None:
        self.stages.append((what, rows))

    def step(self, table: str, rows: int) -> None:
        assert table
        self.rows += rows
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise KeyboardInterrupt


async def moved(here: Path, there: Path, steps: Steps | None = None, owner: str = "one") -> MoveResult:
    """Move once."""
    async with sqlite_store(there):
        pass
    source, target = await open_sqlite_side(here), await open_sqlite_side(there)
    try:
        return await move(source, target, owner=owner, progress=steps or Steps())
    finally:
        await source.aclose()
        await target.aclose()


async def test_everything_arrives_and_the_source_stays_closed(tmp_path: Path) -> None:
    here, there = tmp_path / "a.db", tmp_path / "b.db"
    some = crowd()
    async with sqlite_store(here) as store:
        await settle(store, some, 0, 300)
        await store.commit(store.put_meta("feed", "name"))
        did = await moved(here, there)
        assert did.copied == did.rows
        with pytest.raises(StoreUnavailable, match="moved"):
            await store.commit(store.put_meta("feed", "other"))
        with pytest.raises(StoreUnavailable):
            await settle(store, some, 300, 301)
        assert await store.meta("moved") == str(there)
    async with sqlite_store(there) as store:
        assert await store.ready()
        assert await store.meta("feed") == "name"
        assert await store.meta("arriving") is None
        await settle(store, some, 300, 310)
        for number in range(310):
            assert (await store.accounts.by_email(some.email(number))) is not None


async def test_an_interrupted_move_reopens_the_server_and_can_be_resumed(tmp_path: Path) -> None:
    """Rows that were changed, added and removed in between are copied again, also where two rows have exchanged a unique
    value."""
    here, there = tmp_path / "a.db", tmp_path / "b.db"
    some = crowd()
    async with sqlite_store(here) as store:
        await settle(store, some, 0, 5000)
        with pytest.raises(KeyboardInterrupt):
            await moved(here, there, Steps(stop_after=5))
        async with sqlite_store(there) as half:
            assert not await half.ready()
        await settle(store, some, 5000, 5100)
        first = await store.accounts.by_email(some.email(1))
        second = await store.accounts.by_email(some.email(2))
        assert first is not None
        assert second is not None
        await store.commit(store.accounts.replace(replace(first, email="x@example.net")))
        await store.commit(store.accounts.replace(replace(second, email=first.email)))
        await store.commit(store.accounts.replace(replace(first, email=second.email)))
        gone = await store.accounts.by_email(some.email(3))
        assert gone is not None
        await store.commit(store.delete_account(gone.id))
    did = await moved(here, there, owner="two")
    assert did.kept > 0
    assert did.copied < did.rows
    async with sqlite_store(there) as store:
        assert await store.ready()
        swapped = await store.accounts.by_email(some.email(1))
        assert swapped is not None
        assert swapped.id == second.id
        assert await store.accounts.get(gone.id) is None
        assert await store.accounts.factors(gone.id) == []
        assert await store.accounts.by_email(some.email(5099)) is not None


async def test_a_database_in_use_is_no_target_and_a_moved_one_no_source(tmp_path: Path) -> None:
    here, there, third = tmp_path / "a.db", tmp_path / "b.db", tmp_path / "c.db"
    async with sqlite_store(here) as store:
        await settle(store, crowd(), 0, 3)
    async with sqlite_store(there) as store:
        await settle(store, crowd(), 7, 8)
    with pytest.raises(CopyRefused, match="not empty"):
        await moved(here, there)
    async with sqlite_store(here) as store:
        await settle(store, crowd(), 3, 4)  # it accepts writes again
    await moved(here, third)
    with pytest.raises(CopyRefused, match="has moved"):
        await moved(here, tmp_path / "d.db")
    with pytest.raises(CopyRefused, match="already"):
        await moved(here, third)


async def test_only_one_move_at_a_time(tmp_path: Path) -> None:
    here, there, third = tmp_path / "a.db", tmp_path / "b.db", tmp_path / "c.db"
    async with sqlite_store(here) as store:
        await settle(store, crowd(), 0, 20)
        refused: list[CopyRefused] = []

        class Meanwhile(Steps):
            def begin(self, what: str, rows: int) -> None:
                super().begin(what, rows)
                if what == "copy":
                    with pytest.raises(CopyRefused, match="another doorward move") as caught:
                        run_in_thread(moved(here, third, owner="two"))
                    refused.append(caught.value)

        await moved(here, there, Meanwhile())
        assert refused
        assert await store.meta("moved") == str(there)


def run_in_thread(work: Coroutine[Any, Any, Any]) -> None:
    """Run to the end on another thread's loop, as another process would."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


async def test_a_mover_killed_between_its_last_two_steps_is_finished_by_the_next(tmp_path: Path) -> None:
    """The source is closed for ever, the target not yet open: neither is served, and the same command opens the target."""
    here, there = tmp_path / "a.db", tmp_path / "b.db"
    async with sqlite_store(here) as store:
        await settle(store, crowd(), 0, 20)
    await moved(here, there)
    async with sqlite_store(there) as store:
        await store.commit(store.put_meta("arriving", str(here)))
        assert not await store.ready()
    did = await moved(here, there, owner="two")
    assert did.copied == 0
    async with sqlite_store(there) as store:
        assert await store.ready()
        await settle(store, crowd(), 20, 21)
    async with sqlite_store(here) as store:
        with pytest.raises(StoreUnavailable):
            await settle(store, crowd(), 20, 21)


async def test_a_target_that_was_changed_by_hand_is_not_taken_for_a_copy(tmp_path: Path) -> None:
    here, there = tmp_path / "a.db", tmp_path / "b.db"
    async with sqlite_store(here) as store:
        await settle(store, crowd(), 0, 3000)
    with pytest.raises(KeyboardInterrupt):
        await moved(here, there, Steps(stop_after=6))
    with closing(sqlite3.connect(there)) as db:
        db.execute("UPDATE accounts SET name = 'Mallory' WHERE id = (SELECT MAX(id) FROM accounts)")
        db.commit()
    with pytest.raises(CopyRefused, match="accounts differs"):
        await moved(here, there, owner="two")
    async with sqlite_store(here) as store:
        await settle(store, crowd(), 3000, 3001)
