"""Do a refresh token and a code stay single through 200 rounds of 64 requests at once, with two processes on one database?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.processes import processes
from tests.races.rounds import code_rounds, crossing_rounds, refresh_rounds

pytestmark = [pytest.mark.anyio, pytest.mark.soak, pytest.mark.timeout(1800)]
ROUNDS = 200


@pytest.mark.requirement(18)
async def test_64_refreshes_at_once_200_rounds(tmp_path: Path) -> None:
    with processes(tmp_path, 2) as fleet:
        await refresh_rounds(fleet, fleet.house.own, ROUNDS)
        await crossing_rounds(fleet, fleet.house.own, ROUNDS)
        assert [server.troubles() for server in fleet.servers] == [[], []]


@pytest.mark.requirement(15)
async def test_a_code_64_times_at_once_200_rounds(tmp_path: Path) -> None:
    with processes(tmp_path, 2) as fleet:
        await code_rounds(fleet, fleet.house.own, ROUNDS)
        assert [server.troubles() for server in fleet.servers] == [[], []]
