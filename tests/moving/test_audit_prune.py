"""Test of an interrupted move that is resumed after its source has deleted old audit lines."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from doorward.adapters.random import SystemRandom
from doorward.storage.copy.move import move
from doorward.storage.copy.open import open_side
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store
from tests.moving.test_copy_sqlite import Steps
from tests.storage.samples import DAY, event

pytestmark = pytest.mark.anyio


async def written(store: Store, *days: float) -> list[str]:
    """Lines of so many days ago; returns their ids."""
    ids = [SystemRandom(lambda day=day: time.time() - day * DAY).new_id("aud") for day in days]
    assert await store.commit(*(store.audit.append(event(id=one)) for one in ids))
    return ids


@pytest.mark.parametrize("way", ["to postgresql", "from postgresql", "from file to file"])
async def test_a_resumed_move_gives_the_target_exactly_the_sources_lines(
    tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    here, there = str(tmp_path / "a.db"), str(tmp_path / "b.db")
    if way != "from file to file":
        url = request.getfixturevalue("postgres_url")
        here, there = (here, url) if way == "to postgresql" else (url, there)
    store = await open_store(here)
    kept = await written(store, *(10 - number / 10 for number in range(20)))
    await written(store, *(500 + number for number in range(30)))
    await (await open_store(there)).close()
    source = await open_side(here, PostgresOptions())
    target = await open_side(there, PostgresOptions())
    try:
        with pytest.raises(KeyboardInterrupt):
            # four pieces of the audit log have arrived, all of old lines
            await move(source, target, owner="one", progress=Steps(stop_after=4), size=5)
        arrived = (await target.rows("SELECT COUNT(*) FROM audit"))[0][0]
        assert 15 <= arrived <= 25
        # the source is served again, and sweeps: only a part of the expired lines is deleted when the move is resumed
        assert await store.audit.prune(int(time.time()), 400 * DAY, 12) == 12
        did = await move(source, target, owner="two", progress=Steps(), size=5)
        assert {one.table: one.rows for one in did.tables}["audit"] == 20 + 30 - 12
    finally:
        await source.aclose()
        await target.aclose()
        await store.close()
    after = await open_store(there)
    try:
        assert await after.audit.prune(int(time.time()), 400 * DAY) == 18
        assert [one.id for one in await after.audit.page()] == kept[::-1]
    finally:
        await after.close()
