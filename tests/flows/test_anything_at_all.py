"""Random requests of hypothesis and schemathesis never cause a server error. Some here; thousands in tests/soak."""

from __future__ import annotations

import pytest

from tests.engines import POSTGRES_IN_SOAK
from tests.flows.described import DESCRIBED, Described, as_described
from tests.flows.patient import PATIENT
from tests.flows.pieces import Pieces, Spot, spots
from tests.flows.running import Running
from tests.flows.seeds import House
from tests.flows.stumbling import anything

ENGINES = POSTGRES_IN_SOAK
SPOTS = spots()
SECTIONS = PATIENT


@pytest.mark.parametrize("spot", SPOTS, ids=[spot.path for spot in SPOTS])
def test_random_requests_on_every_route_cause_no_server_error(
    spot: Spot, server: Running, pieces: Pieces
) -> None:
    assert anything(server, pieces, spot, 20).sent > 0


# schemathesis draws from a generator of its own
@pytest.mark.filterwarnings(
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)
@pytest.mark.parametrize("operation", DESCRIBED, ids=str)
def test_responses_match_the_description(operation: Described, server: Running, house: House) -> None:
    assert as_described(server, house, operation, 8) > 0
