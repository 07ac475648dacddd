"""Revocations over several processes, measured: two servers behind a balancer, two APIs, tokens revoked at random moments.

`tests/soak/test_revocation.py` is the same with a thousand tokens, failures, and a million other revocations.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines import POSTGRES_IN_SOAK
from tests.flows.revoking import ground, trial
from tests.waiting import keeps

ENGINES = POSTGRES_IN_SOAK


@pytest.mark.requirement(58)
def test_tokens_that_are_revoked_at_random_are_refused_within_a_second(
    tmp_path: Path, own_database: str | None
) -> None:
    with ground(tmp_path, 2, own_database) as there:
        seeds = iter(range(100))

        def slowest() -> float:
            there.tokens.clear()
            there.issue(30)
            found = trial(
                there, revoked=20, seconds=1.5, apis=2, pause=0.02, seed=next(seeds), late_at=1.0, settle=1.0
            )
            print(found)
            assert (found.accepted_after, found.valid_refused, found.refusals) == (0, 0, {})
            assert found.never_refused == 0
            return max(found.delays)

        keeps(1, slowest)
