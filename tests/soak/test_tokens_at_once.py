"""Soak tests that a refresh token and a code are redeemed once, in 200 rounds of 64 requests at once, with two processes on one
SQLite file, and three on one PostgreSQL."""

from __future__ import annotations

import pytest

from tests.engines import BOTH
from tests.flows.processes import Fleet
from tests.races.rounds import code_rounds, crossing_rounds, refresh_rounds

ENGINES = BOTH
pytestmark = [pytest.mark.anyio, pytest.mark.soak, pytest.mark.timeout(1800)]
ROUNDS = 200


@pytest.mark.requirement(18)
async def test_64_refreshes_at_once_in_200_rounds(fleet: Fleet) -> None:
    await refresh_rounds(fleet, fleet.house.own, ROUNDS)


@pytest.mark.requirement(18)
async def test_64_refreshes_that_cross_with_the_successors_use_in_200_rounds(fleet: Fleet) -> None:
    await crossing_rounds(fleet, fleet.house.own, ROUNDS)


@pytest.mark.requirement(15)
async def test_a_code_redeemed_64_times_at_once_in_200_rounds(fleet: Fleet) -> None:
    await code_rounds(fleet, fleet.house.own, ROUNDS)
