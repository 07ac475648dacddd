"""Soak tests with many thousands of hostile requests: none causes a server error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator

import pytest

from tests.engines import BOTH
from tests.flows.described import DESCRIBED, Described, as_described
from tests.flows.patient import PATIENT
from tests.flows.pieces import Pieces, Spot, spots
from tests.flows.running import Running, running
from tests.flows.seeds import House, seed
from tests.flows.stumbling import anything, sweep

ENGINES = BOTH
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
SPOTS = spots()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database: str | None) -> Generator[Running]:
    """A server with high limits on tries."""
    with running(tmp_path_factory.mktemp("server"), sections=PATIENT, database=database) as started:
        yield started
        assert started.troubles() == []


@pytest.fixture(scope="module")
def house(server: Running) -> Generator[House]:
    """Its apps and people."""
    made = seed(server)
    yield made
    made.close()


@pytest.fixture(scope="module")
def here(server: Running, house: House) -> Pieces:
    """Real values of that server."""
    return Pieces(server, house)


@pytest.fixture(scope="module")
def statuses() -> Generator[Counter[int]]:
    """The statuses of all responses."""
    counted: Counter[int] = Counter()
    yield counted
    print(f"\n{counted.total()} requests: {dict(sorted(counted.items()))}")


@pytest.mark.parametrize("spot", SPOTS, ids=[spot.path for spot in SPOTS])
def test_one_wrong_value_at_a_time_with_every_header(
    spot: Spot, server: Running, here: Pieces, statuses: Counter[int]
) -> None:
    statuses.update(sweep(server, here, spot, thorough=True).statuses)


@pytest.mark.parametrize("spot", SPOTS, ids=[spot.path for spot in SPOTS])
def test_random_requests_on_every_route_cause_no_server_error(
    spot: Spot, server: Running, here: Pieces, statuses: Counter[int]
) -> None:
    statuses.update(anything(server, here, spot, 1500).statuses)


@pytest.mark.parametrize("operation", DESCRIBED, ids=str)
def test_responses_match_the_description(operation: Described, server: Running, house: House) -> None:
    assert as_described(server, house, operation, 300) > 0
