"""Test of a move from SQLite to PostgreSQL in use: it signs nobody out; in `make soak` also when it is killed on the way."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from doorward.storage.postgres.database import open_postgres
from tests.flows.apps import good
from tests.flows.processes import Fleet, processes
from tests.moving import house
from tests.moving.load import refreshing
from tests.ports import free_port
from tests.waiting import PATIENCE

PEOPLE = 2000
SAMPLE = [3, 77, 500, 1024, 1500, 1999, 42, 1]


# whoever was killed leaves a fence of thirty seconds, which a busy machine may outlast; test_copy_at_random interrupts moves as well
@pytest.mark.parametrize("killed", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_a_move_is_resumed_after_a_kill_and_signs_nobody_out(
    tmp_path: Path, postgres_url: str, killed: bool
) -> None:
    with processes(tmp_path, 1, sections={"tokens": {"access_ttl": 3600}}) as fleet:
        kept = house.fill(fleet, PEOPLE)
        if killed:
            asyncio.run(killed_half_way(fleet, kept, postgres_url))
            # it would accept writes again by itself, when the fence expires
            release = house.doorward(fleet, "move", "--release", "doorward.db", "--yes", "--json")
            assert house.done(release)["released"]
        kept.tokens = good(fleet.house.own.refresh(kept.tokens.refresh))
        for number in SAMPLE:
            held = kept.crowd.refresh_token(number)
            kept.refreshed[number] = good(fleet.house.own.refresh(held)).refresh
        with refreshing(fleet, kept.refreshed) as load:
            moved = house.done(house.doorward(fleet, "move", "doorward.db", postgres_url, "--json"))
        assert load.done > 0
        assert load.told_to_wait > 0, "the apps sent requests during the move"
        assert (moved["kept"] > 0) is killed, "unchanged rows were not copied twice"
        assert moved["kept"] + moved["copied"] == moved["rows"]
        counted = {one["table"]: one["rows"] for one in moved["tables"]}
        assert counted["accounts"] == PEOPLE + 3
        assert counted["refresh_tokens"] >= PEOPLE + 1
        house.refuses_everything(fleet, fleet.servers[0].base)
        told = house.done(
            house.doorward(
                fleet, "serve", "--config", str(fleet.config), "--port", str(free_port()), "--json"
            ),
            1,
        )
        assert "has moved to postgresql://" in told["error"]
        house.on(fleet, postgres_url)
        house.everything_works(fleet, kept, SAMPLE)
        # then a move on, into another file
        with refreshing(fleet, kept.refreshed) as load:
            back = house.done(house.doorward(fleet, "move", postgres_url, "back.db", "--json"))
        assert load.done > 0
        assert load.told_to_wait > 0
        assert {one["table"] for one in back["tables"]} == set(counted)
        house.refuses_everything(fleet, fleet.servers[-1].base)
        house.on(fleet, str(tmp_path / "back.db"))
        house.everything_works(fleet, kept, SAMPLE)


async def killed_half_way(fleet: Fleet, kept: house.Kept, url: str) -> None:
    """Start it, block it where refresh tokens are copied; end it with Ctrl-C, and once more with kill -9."""
    await (await open_postgres(url)).close()
    holder = await asyncpg.connect(url)
    try:
        await holder.execute("BEGIN; LOCK TABLE refresh_tokens IN SHARE MODE")
        mover, waits = await held_up(fleet, url, holder, set())
        house.goes_on_reading(fleet, kept)
        mover.send_signal(signal.SIGINT)
        _, err = mover.communicate(timeout=PATIENCE)
        assert mover.returncode == 130, err
        assert "Traceback" not in err, err
        # at once, without waiting for the fence to expire
        kept.tokens = good(fleet.house.own.refresh(kept.tokens.refresh))
        mover, _ = await held_up(fleet, url, holder, waits)
        mover.kill()
        mover.communicate()
        house.told_to_come_back(fleet.house.own.refresh(kept.tokens.refresh))
        assert await holder.fetchval("SELECT COUNT(*) FROM copy_chunks") > 2
    finally:
        await holder.close()


async def held_up(
    fleet: Fleet, url: str, holder: Any, before: set[int]
) -> tuple[subprocess.Popen[str], set[int]]:
    """A move that waits for the lock of `holder`, and the backends that wait there; without those in `before`, since a closed
    connection may still be in the queue."""
    mover = house.doorward(fleet, "move", "doorward.db", url)
    last = time.monotonic() + PATIENCE
    while True:
        waits = {row[0] for row in await holder.fetch("SELECT pid FROM pg_locks WHERE NOT granted")}
        if waits - before:
            return mover, waits
        assert mover.poll() is None, mover.communicate()
        assert time.monotonic() < last
        await asyncio.sleep(0.05)
