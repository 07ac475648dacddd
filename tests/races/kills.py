"""Assertions after a server was killed under load, shared by the short test and the soak test."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from tests.flows.processes import processes
from tests.races.holders import Family, Load, every_newest_refreshes, no_spent_one_refreshes

LEEWAY = 1
# Spent tokens are used on purpose; the next sign-in on a new device would be asked for more.
SETTINGS: dict[str, dict[str, Any]] = {
    "tokens": {"refresh_leeway": LEEWAY},
    "passwords": {"threads": 2},
    "risk": {"mode": "off"},
}


def kill_and_look(
    folder: Path, kills: int, *, count: int = 1, seed: int = 1, database: str | None = None
) -> dict[str, int]:
    """kill -9 of the first of `count` processes, `kills` times, under a load of sign-ins and refreshes.

    After each restart every newest token must refresh, and a third of the families is tested with a spent one. Returns counts by
    name.
    """
    rng = random.Random(seed)
    done = {
        "kills": 0,
        "sign_ins": 0,
        "refreshes": 0,
        "answers lost": 0,
        "newest refreshed": 0,
        "spent refused": 0,
    }
    kept: list[Family] = []
    with processes(folder, count, sections=SETTINGS, database=database) as fleet:
        app, server = fleet.house.own, fleet.servers[0]
        for _ in range(kills):
            load = Load(app, [one.base for one in fleet.servers], refreshers=6, signers=3)
            load.families += kept
            load.start()
            load.goes_on(refreshes=30, sign_ins=6)
            time.sleep(rng.uniform(0.0, 1.0))
            server.kill()
            server.start()
            # the load continues against the new process for a moment, so that lost requests are retried
            load.goes_on(refreshes=20)
            load.stop()
            assert load.wrong == [], load.wrong
            every_newest_refreshes(app, load.families)
            rng.shuffle(load.families)
            third = len(load.families) // 3
            tried, kept = load.families[:third], load.families[third : third + 30]
            done["kills"] += 1
            done["sign_ins"] += load.sign_ins
            done["refreshes"] += load.refreshes
            done["answers lost"] += sum(family.lost for family in load.families)
            done["newest refreshed"] += len(load.families)
            done["spent refused"] += no_spent_one_refreshes(app, tried, LEEWAY)
            for family in kept:
                family.lost = 0
        for one in fleet.servers:
            assert one.troubles() == []
    return done
