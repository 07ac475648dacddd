"""Check for server errors on hostile input, shared by the short tests and the soak tests."""

from __future__ import annotations

import time

from hypothesis import HealthCheck, given, settings

from tests.flows.hostile import one_wrong_thing, requests
from tests.flows.pieces import SECRET, Pieces, Spot
from tests.flows.raw import RawClient, RawRequest
from tests.flows.running import Running

TOLERATED = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
    HealthCheck.filter_too_much,
)
LONGEST = 3.0
"""Seconds of CPU time: no single request may occupy the server that long. Not wall time, since other tests run at the same
time."""


class Witness:
    """Sends requests, and checks response and log after each."""

    def __init__(self, server: Running) -> None:
        self._server = server
        self._client = RawClient(server.issuer)
        self._seen = len(server.log.pieces)
        self.sent = 0
        self.statuses: dict[int, int] = {}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def sees_no_stumble(self, request: RawRequest) -> None:
        """Assert: no 500, no logged error, a prompt response to every valid HTTP request, and no secret in the log."""
        began = time.process_time()
        answer = self._client.send(request)
        took = time.process_time() - began
        pieces = self._server.log.pieces[self._seen :]
        self._seen += len(pieces)
        logged = "".join(pieces)
        assert answer.status < 500, (answer.status, answer.body[:300], request)
        assert '"level": "error"' not in logged, (logged[-3000:], request)
        assert took < LONGEST, (f"{took:.1f} s", request)
        assert SECRET not in logged, ("a secret was logged", logged[-2000:], request)
        assert answer.status != 0, ("no answer", request)
        self.sent += 1
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1


def sweep(
    server: Running, here: Pieces, spot: Spot, *, thorough: bool = False, store: bool = False
) -> Witness:
    """Send one wrong value at a time; `store`: only those that concern the database."""
    witness = Witness(server)
    try:
        for request in one_wrong_thing(here, here.browser(spot.path), spot, thorough=thorough, store=store):
            witness.sees_no_stumble(request)
    finally:
        witness.close()
    return witness


def anything(server: Running, here: Pieces, spot: Spot, examples: int) -> Witness:
    """Send requests that hypothesis draws."""
    witness = Witness(server)
    browser = here.browser(spot.path)

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=TOLERATED,
    )
    @given(requests(here, browser, spot))
    def run(request: RawRequest) -> None:
        witness.sees_no_stumble(request)

    try:
        run()
    finally:
        witness.close()
    return witness
