"""Tests of a SQLite file that another program keeps locked: writes wait for fifteen seconds, then get 503; reads do not wait."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.failures.witness import witness_of
from tests.flows.processes import processes

BUSY = 15


def test_a_program_that_holds_the_write_lock_delays_writes_only(tmp_path: Path) -> None:
    with processes(tmp_path, 1) as fleet, witness_of(fleet) as witness:
        somebody = sqlite3.connect(tmp_path / "doorward.db", isolation_level=None)
        somebody.execute("BEGIN IMMEDIATE")
        seen = witness.look()
        assert seen.wrong == []
        assert seen.refused >= {"refresh", "JSON sign-in", "cookie refresh"}, seen.answers
        for name in ("introspection", "userinfo", "introspection of an ended token", "keys", "metadata"):
            assert seen.answers[name] == 200, name
            assert seen.seconds[name] < BUSY / 2, "a reader waited for a writer"
        somebody.execute("ROLLBACK")
        somebody.close()
        witness.recovered()
        witness.everything_is_as_before()
        assert fleet.servers[0].troubles() == []


def test_a_lock_that_is_released_in_time_only_delays(tmp_path: Path) -> None:
    with processes(tmp_path, 1) as fleet, witness_of(fleet) as witness, ThreadPoolExecutor(1) as other:
        somebody = sqlite3.connect(tmp_path / "doorward.db", isolation_level=None)
        somebody.execute("BEGIN IMMEDIATE")
        looking = other.submit(witness.look)
        time.sleep(1)
        assert not looking.done(), "no write waited"
        somebody.execute("ROLLBACK")
        seen = looking.result()
        somebody.close()
        assert seen.wrong == []
        assert seen.refused <= {"JSON sign-in"}, "only hashing on a busy machine may be refused"
