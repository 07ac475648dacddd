"""Tests of a PostgreSQL pool whose connections all wait, for a lock or a slow statement.

A request that waits longer than the limits gets 503; when the lock is released everything continues.
"""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.failures.witness import ADA, NEEDS_NOTHING, witness_of
from tests.flows.apps import good, healed
from tests.flows.processes import processes
from tests.flows.signing_in import tokens_by_challenge
from tests.postgres import Databases
from tests.waiting import PATIENCE

SCOPE = "openid orders:read"
LIMITS: dict[str, dict[str, Any]] = {
    "postgres": {"pool_size": 3, "pool_wait": 1, "statement_timeout": 2},
    "passwords": {"threads": 2},
}


@contextmanager
def holding(server: Databases, url: str, lock: str) -> Generator[None]:
    """Another psql session holds `lock` in an open transaction for the duration of the block."""
    somebody = subprocess.Popen(
        [str(server.bin / "psql"), "-XAtq", "-d", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert somebody.stdin is not None
    assert somebody.stdout is not None
    somebody.stdin.write(f"BEGIN; {lock}; SELECT 'held';\n".encode())
    somebody.stdin.flush()
    while line := somebody.stdout.readline():
        if line.strip() == b"held":
            break
    try:
        yield
    finally:
        somebody.stdin.close()
        somebody.wait(PATIENCE)
        somebody.stdout.close()


def test_a_lock_on_a_table_exhausts_the_pool_and_is_a_503_within_the_limits(
    tmp_path: Path, postgres: Databases, postgres_url: str
) -> None:
    with (
        processes(tmp_path, 1, database=postgres_url, sections=LIMITS) as fleet,
        witness_of(fleet) as witness,
    ):
        app = fleet.house.own
        chains = [tokens_by_challenge(app, ADA, SCOPE).refresh for _ in range(24)]
        with (
            holding(postgres, postgres_url, "LOCK TABLE refresh_tokens IN ACCESS EXCLUSIVE MODE"),
            ThreadPoolExecutor(24) as crowd,
        ):
            # while the lock is held
            answers = list(crowd.map(app.refresh, chains))
            assert {answer.status_code for answer in answers} == {503}
            assert all(answer.headers["retry-after"].isdigit() for answer in answers)
            seen = witness.look()
            assert seen.wrong == []
            assert "refresh" in seen.refused
            assert not NEEDS_NOTHING & seen.refused
            assert max(seen.seconds[name] for name in NEEDS_NOTHING) < 4
        witness.recovered()
        witness.everything_is_as_before()
        for chain in chains:
            assert healed(lambda chain=chain: app.refresh(chain)).refresh
        assert fleet.servers[0].troubles() == []


def test_a_locked_row_is_a_503_for_requests_that_need_it_and_for_no_others(
    tmp_path: Path, postgres: Databases, postgres_url: str
) -> None:
    with processes(tmp_path, 1, database=postgres_url, sections=LIMITS) as fleet:
        app = fleet.house.own
        held, free = (tokens_by_challenge(app, ADA, SCOPE).refresh for _ in range(2))
        grant = "grt_" + held.removeprefix("dw_rt_")[:-73]
        row = f"SELECT 1 FROM refresh_tokens WHERE grant_id = '{grant}' FOR UPDATE"
        assert postgres.query(
            f"SELECT count(*) FROM refresh_tokens WHERE grant_id = '{grant}'", postgres_url
        ) == ["1"]
        with holding(postgres, postgres_url, row), ThreadPoolExecutor(1) as other:
            waits = other.submit(app.refresh, held)
            for _ in range(5):
                free = good(app.refresh(free)).refresh
            lost = waits.result()
            assert lost.status_code == 503
            assert lost.headers["retry-after"].isdigit()
        assert healed(lambda: app.refresh(held)).refresh
        assert fleet.servers[0].troubles() == []
