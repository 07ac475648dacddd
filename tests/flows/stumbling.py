"""Did the server stumble? Said once, for the short tests and for the soak."""

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
"""Seconds of the processor: nothing that fits into a request may keep the server for as long as that. Not by the clock on the wall,
since other tests run beside this one."""


class Witness:
    """Sends requests, and looks at answer and log after each."""

    def __init__(self, server: Running) -> None:
        self._server = server
        self._client = RawClient(server.issuer)
        self._seen = len(server.log.pieces)
        self.sent = 0
        self.statuses: dict[int, int] = {}

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def sees_no_stumble(self, request: RawRequest) -> None:
        """No 500, nothing logged as an error, an answer to whatever is HTTP at all, soon, and no secret in the log."""
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


def sweep(server: Running, here: Pieces, spot: Spot, *, thorough: bool = False) -> Witness:
    """One wrong thing at a time."""
    witness = Witness(server)
    try:
        for request in one_wrong_thing(here, here.browser(spot.path), spot, thorough=thorough):
            witness.sees_no_stumble(request)
    finally:
        witness.close()
    return witness


def anything(server: Running, here: Pieces, spot: Spot, examples: int) -> Witness:
    """Whatever hypothesis draws."""
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
