"""Measurement of the time until an API refuses a revoked token, by repeated requests."""

from __future__ import annotations

import time
from typing import Final

from doorward_demo.demo.drive.calling import refused
from doorward_demo.demo.drive.failed import fail
from doorward_demo.demo.drive.journey import Journey

_GIVES_UP: Final = 30.0
"""Seconds. The time itself is shown: a machine that does other work as well may need longer than the promised second."""


def until_refused(journey: Journey, token: str, began: float) -> float:
    """Milliseconds since `began`, just before the revoking request was sent. Raises `NotAsItShouldBe` if it is
    never refused."""
    while True:
        answer = journey.wire.send("GET", f"{journey.api}/orders", token=token, note=False)
        took = (time.perf_counter() - began) * 1000
        if answer.status_code == 401:
            break
        if took > _GIVES_UP * 1000:
            fail("status 401", f"still {answer.status_code} after {took:.0f} ms")
        time.sleep(0.005)
    # once more, to show it
    refused(journey, token)
    return took
