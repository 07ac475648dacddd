"""Measurement of the time until an API refuses a revoked token, by repeated requests."""

from __future__ import annotations

import time
from typing import Final

from doorward_demo.demo.drive.calling import refused
from doorward_demo.demo.drive.failed import fail
from doorward_demo.demo.drive.journey import Journey

BOUND_MS: Final = 1000


def until_refused(journey: Journey, token: str, began: float) -> float:
    """Milliseconds since `began`, just before the revoking request was sent. Raises `NotAsItShouldBe` after a second."""
    while True:
        answer = journey.wire.send("GET", f"{journey.api}/orders", token=token, note=False)
        took = (time.perf_counter() - began) * 1000
        if answer.status_code == 401:
            break
        if took > BOUND_MS:
            fail(f"status 401 within {BOUND_MS} ms", f"still {answer.status_code} after {took:.0f} ms")
        time.sleep(0.005)
    # once more, to show it
    refused(journey, token)
    return took
