"""Effect of the sweep of half a million expired rows on the latency of other requests.

Refreshes follow a schedule at half of the server's capacity, once without anything to sweep and once while the server's
own sweep runs, which begins at its start. The rows left over are removed afterwards, and the swept ones are counted.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.load import Result
from bench.scale.grounds import Ground
from bench.scale.grown import Growing, State, label
from bench.scale.serving import drive, served

EXPIRED = 500_000
MOST_ROUNDS = 3
SHARE = 0.5
"""Share of the rate that the server reached: a saturated server has a queue in any case."""

_NO_TURN = "DELETE FROM claimed WHERE space = 'sweep'"


@dataclass(frozen=True, slots=True)
class Swept:
    """The rounds without and with the sweep, and how many rows were deleted in how many seconds."""

    calm: Sequence[Result]
    sweeping: Sequence[Result]
    rows: int
    seconds: float

    @property
    def ratio(self) -> float:
        """Median p99 with the sweep divided by median p99 without."""
        return _p99(self.sweeping) / _p99(self.calm)


def _p99(results: Sequence[Result]) -> float:
    return statistics.median(result.p99_ms for result in results)


def sweeping(
    ground: Ground,
    state: State,
    grants: int,
    growing: Growing,
    folder: Path,
    *,
    expired: int,
    rate: float,
    seconds: float,
    rounds: int,
    cores: Collection[int],
) -> Swept:
    """Rounds of `seconds` at `rate` refreshes a second, first without and then with `expired` rows to sweep."""
    calm: list[Result] = []
    during: list[Result] = []
    took = 0.0
    for kept in (calm, during):
        if kept is during:
            growing.expire(state, grants, expired)
        for number in range(min(rounds, MOST_ROUNDS)):
            # One process sweeps at a time; the server of the previous round has ended, so its lease is deleted.
            ground.execute(label(grants), _NO_TURN)
            began = time.monotonic()
            with served(ground, state, grants, folder, cores=cores) as server:
                flows = server.refresh(100 + number)
                name = "refresh beside the sweep" if kept is during else "refresh without a sweep"
                kept.append(drive(server, name, flows, warm_up=min(1.0, seconds), seconds=seconds, rate=rate))
            if kept is during:
                took += time.monotonic() - began
    left = asyncio.run(_sweep_the_rest(ground, grants))
    return Swept(calm, during, expired - left, took)


async def _sweep_the_rest(ground: Ground, grants: int) -> int:
    store = await ground.open(label(grants))
    try:
        gone = 0
        while more := await store.sweep(int(time.time()), 5000):
            gone += more
        return gone
    finally:
        await store.close()
