"""How does a test wait? For what has to come, until it is there, and never for a time in the hope that it is.

    until(lambda: "server.reloaded" in log.read_text(), log.read_text)      # and what is shown when it never comes
    await until_async(lambda: bell.connected)

PATIENCE is the one limit. It says nothing about how fast anything has to be: a test that passes never waits for it, and a machine on
which seven others test as well still gets there. Where a time is promised, the promise is asserted by itself:

    keeps(1.0, lambda: seconds_until_refused(token))                        # "within a second"

A promise that is broken is broken each time; one that a busy machine broke holds the next time. So it is measured anew when it did
not hold, a few times, and the shortest time counts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE = 300.0
_LOOK = 0.01
_TRIES = 4


def _nothing() -> str:
    return "it never came"


def until(holds: Callable[[], object], said: Callable[[], object] = _nothing, *, look: float = _LOOK) -> None:
    """Return when `holds()` is true. Looks every `look` seconds; fails after PATIENCE, with what `said()` says."""
    last = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < last, said()
        time.sleep(look)


async def until_async(holds: Callable[[], object], said: Callable[[], object] = _nothing) -> None:
    """The same for a test that runs on the event loop."""
    last = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < last, said()
        await asyncio.sleep(_LOOK)


def keeps(limit: float, measured: Callable[[], float]) -> float:
    """Assert that what `measured()` answers, in seconds, stays below `limit`. Answers the shortest that was seen."""
    shortest = measured()
    for _ in range(_TRIES - 1):
        if shortest < limit:
            break
        shortest = min(shortest, measured())
    assert shortest < limit, f"{shortest:.3f} s at best, and {limit} s is promised"
    return shortest


async def keeps_async(limit: float, measured: Callable[[], Awaitable[float]]) -> float:
    """The same for a test that runs on the event loop."""
    shortest = await measured()
    for _ in range(_TRIES - 1):
        if shortest < limit:
            break
        shortest = min(shortest, await measured())
    assert shortest < limit, f"{shortest:.3f} s at best, and {limit} s is promised"
    return shortest
