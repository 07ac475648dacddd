"""Soak test of a move of a hundred thousand people: killed on the way, resumed, with equal checksums, and nobody signed out."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import httpx2
import pytest

from tests.flows.apps import good
from tests.flows.processes import processes
from tests.moving import house
from tests.moving.crowd import settle, sqlite_store
from tests.moving.slow import killed_at

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
PEOPLE = 100_000


def test_a_hundred_thousand_people_move_and_nobody_is_signed_out(tmp_path: Path, postgres_url: str) -> None:
    with processes(tmp_path, 1, sections={"tokens": {"access_ttl": 3600}}) as fleet:
        kept = house.fill(fleet, PEOPLE)
        base = fleet.servers[0].base
        began = time.monotonic()
        asyncio.run(killed_at(fleet, postgres_url, chunks=60))
        half = time.monotonic() - began
        # nobody lifts the fence: the server accepts writes again by itself
        waited = time.monotonic()
        while fleet.house.own.refresh(kept.tokens.refresh).status_code == 503:
            assert time.monotonic() - waited < 40
            time.sleep(0.5)
        waited = time.monotonic() - waited
        kept.tokens = good(fleet.house.own.refresh(kept.tokens.refresh))
        sample = list(range(11, PEOPLE, PEOPLE // 200))
        for number in sample[::2]:
            kept.refreshed[number] = good(fleet.house.own.refresh(kept.crowd.refresh_token(number))).refresh

        async def newcomers() -> None:
            async with sqlite_store(tmp_path / "doorward.db") as store:
                await settle(store, kept.crowd, PEOPLE, PEOPLE + 300)

        asyncio.run(newcomers())
        began = time.monotonic()
        moved = house.done(house.doorward(fleet, "move", "doorward.db", postgres_url, "--json"))
        whole = time.monotonic() - began
        assert moved["kept"] > 0
        rows = {one["table"]: one["rows"] for one in moved["tables"]}
        assert rows["accounts"] == PEOPLE + 303
        house.refuses_everything(fleet, base)
        house.on(fleet, postgres_url)
        house.everything_works(fleet, kept, [*sample, PEOPLE + 7], signing_in=50)
        assert httpx2.get(f"{fleet.issuer}/readyz", trust_env=False).status_code == 200
        print(
            json.dumps(
                {
                    "people": PEOPLE,
                    "rows": moved["rows"],
                    "kept": moved["kept"],
                    "copied": moved["copied"],
                    "seconds_until_killed": round(half, 1),
                    "seconds_until_writes_again": round(waited, 1),
                    "seconds_of_the_second_run": round(whole, 1),
                    "signed_in": 50,
                    "refreshed": len(sample) + 1,
                }
            )
        )
