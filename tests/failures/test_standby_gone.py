"""Tests of commits that wait for a synchronous standby that is down. PostgreSQL itself would wait for ever.

A write gets 503 with Retry-After within the limits; reads continue; nothing piles up on the server; and when the standby is back,
or no longer required, everything works as before.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from doorward.ops.doctor.check import Check
from doorward.ops.doctor.checks.postgres import postgres
from doorward.settings import load
from tests.failures.patience import patient_load
from tests.failures.witness import Seen, witness_of
from tests.flows.processes import processes
from tests.flows.settings import write_settings
from tests.postgres import Postgres

POOL = 8
LIMITS: dict[str, dict[str, Any]] = {
    "postgres": {"pool_size": POOL, "statement_timeout": 2, "connect_timeout": 2, "pool_wait": 1},
    "passwords": {"threads": 2},
}
AWAY = [5.0, pytest.param(15.0, marks=pytest.mark.soak)]
WRITE = frozenset({"refresh", "cookie refresh", "JSON sign-in", "authorization"})
READ = frozenset({"alive", "keys", "metadata", "for itself", "introspection", "userinfo", "account page"})
LONGEST = 2 + 2 + 1 + 2
"""The limits, the grace of two seconds, and a slow machine."""


@contextmanager
def waiting_for_nobody(frail: Postgres) -> Generator[None]:
    """Commits wait for a standby whose name no standby has."""
    frail.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    frail.query("SELECT pg_reload_conf()")
    try:
        time.sleep(0.3)
        yield
    finally:
        frail.query("ALTER SYSTEM RESET synchronous_standby_names")
        frail.query("SELECT pg_reload_conf()")


def held(frail: Postgres, url: str) -> int:
    """The number of open connections."""
    name = urlsplit(url).path[1:]
    (count,) = frail.query(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'")
    return int(count)


def standby(folder: Path, url: str) -> Check:
    """The doctor's finding about standbys."""
    there = folder / "examined"
    there.mkdir(exist_ok=True)
    chosen = load(write_settings(there, "http://127.0.0.1:9000", database=url), {})

    async def asked() -> Check:
        found = {one.name: one async for one in postgres(chosen)}
        return found["standby"]

    return asyncio.run(asked())


@pytest.mark.parametrize("away", AWAY)
def test_commits_that_wait_for_a_missing_standby_are_503_in_time(
    tmp_path: Path, frail: Postgres, frail_url: str, away: float
) -> None:
    with processes(tmp_path, 1, database=frail_url, sections=LIMITS) as fleet, witness_of(fleet) as witness:
        assert not witness.look().refused
        looks: list[tuple[Seen, int]] = []
        with waiting_for_nobody(frail):
            until = time.monotonic() + away
            while time.monotonic() < until or len(looks) < 8:
                looks.append((witness.look(), held(frail, frail_url)))
            found = standby(tmp_path, frail_url)
            waiting = frail.query("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        assert not found.ok
        assert "none is connected" in found.said
        assert "wait right now" in found.said
        assert "Start the standby" in found.fix
        for seen, _ in looks:
            assert seen.wrong == []
            assert seen.refused >= WRITE
            assert not seen.refused & READ, "a read waited for a standby"
            assert max(seen.seconds.values()) < LONGEST
        # once the state is known, no request waits for it, and no more commits pile up on the server
        later = looks[2:]
        assert len(later) > 5
        assert all(max(seen.seconds.values()) < 2 for seen, _ in later)
        assert int(waiting[0]) <= POOL
        assert all(count <= 2 * POOL + 1 for _, count in looks)
        assert witness.recovered() < 10
        witness.everything_is_as_before()
        assert standby(tmp_path, frail_url).ok
        assert fleet.servers[0].troubles() == []


@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.soak)])
def test_nobody_is_signed_out_by_a_standby_that_comes_and_goes(
    tmp_path: Path, frail: Postgres, frail_url: str, times: int
) -> None:
    with processes(tmp_path, 2, database=frail_url, sections=LIMITS) as fleet:
        stop = threading.Event()
        with patient_load(fleet.house.own, [one.base for one in fleet.servers], stop) as load:
            for _ in range(times):
                time.sleep(1)
                with waiting_for_nobody(frail):
                    time.sleep(5)
            time.sleep(2)
            stop.set()
        assert load.wrong == []
        assert load.refused > 0, "the load did not meet an outage"
        load.nobody_is_signed_out()
        for server in fleet.servers:
            assert server.troubles() == []
