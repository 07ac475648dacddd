"""Soak tests with many thousands of hostile requests: none causes a server error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator

import pytest

from tests.engines import BOTH
from tests.flows.described import DESCRIBED, Described, as_described
from tests.flows.patient import PATIENT
from tests.flows.pieces import Pieces, Spot, spots
from tests.flows.running import Running
from tests.flows.seeds import House
from tests.flows.stumbling import anything, sweep

ENGINES = BOTH
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
SPOTS = spots()
SECTIONS = PATIENT


@pytest.fixture(scope="module")
def statuses() -> Generator[Counter[int]]:
    """The statuses of all responses."""
    counted: Counter[int] = Counter()
    yield counted
    print(f"\n{counted.total()} requests: {dict(sorted(counted.items()))}")


@pytest.mark.parametrize("spot", SPOTS, ids=[spot.path for spot in SPOTS])
def test_one_wrong_value_at_a_time_with_every_header(
    spot: Spot, server: Running, pieces: Pieces, statuses: Counter[int]
) -> None:
    statuses.update(sweep(server, pieces, spot, thorough=True).statuses)


@pytest.mark.parametrize("spot", SPOTS, ids=[spot.path for spot in SPOTS])
def test_random_requests_on_every_route_cause_no_server_error(
    spot: Spot, server: Running, pieces: Pieces, statuses: Counter[int]
) -> None:
    statuses.update(anything(server, pieces, spot, 1500).statuses)


@pytest.mark.parametrize("operation", DESCRIBED, ids=str)
def test_responses_match_the_description(operation: Described, server: Running, house: House) -> None:
    assert as_described(server, house, operation, 300) > 0
