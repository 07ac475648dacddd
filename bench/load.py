"""Load generator: how many requests a second a server answers, and with which latency.

One process, one event loop, raw sockets: a request is a block of bytes built beforehand, and an answer is
read just enough to find its end. No pipelining: each connection sends its next request when the last answer
is complete, as a client would.
"""

import asyncio
import gc
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import uvloop

from bench.connection import Connection, Flow, Group, LoadCounts

# Read on import, before the benchmark pins itself: with a single core, spinning would starve the server.
_CORE_TO_SPARE = len(os.sched_getaffinity(0)) > 1
_CONNECT_TRIES = 50
_DRAIN_TRIES = 100


@dataclass(slots=True)
class Result:
    """The results of a group within the measured window; `failures` also counts errors of the warm-up."""

    name: str
    connections: int
    seconds: float
    requests: int
    p50_ms: float
    p99_ms: float
    failures: int
    first_failure: str | None
    longest_ms: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def valid(self) -> bool:
        """True when every answer was the expected one."""
        return self.failures == 0 and self.requests > 0


async def _connect(host: str, port: int, make: Callable[[], Connection]) -> Connection:
    loop = asyncio.get_running_loop()
    for attempt in range(_CONNECT_TRIES):
        try:
            return (await loop.create_connection(make, host, port))[1]
        except OSError:
            if attempt == _CONNECT_TRIES - 1:
                raise
            await asyncio.sleep(0.1)
    raise AssertionError


def _percentile(ordered: Sequence[int], share: float) -> float:
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6


class _Spin:
    """Keeps the loop from sleeping in the kernel.

    A sleeping reader must be woken by the process that writes to it, and on a virtual machine that interrupt
    costs the server more than its own write. Clients on another machine cause no such cost.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._handle = self._loop.call_soon(self._again)

    def _again(self) -> None:
        self._handle = self._loop.call_soon(self._again)

    def stop(self) -> None:
        self._handle.cancel()


async def _run(host: str, port: int, groups: Sequence[Group], warm_up: float, seconds: float) -> list[Result]:
    counts = [LoadCounts(live=len(group.flows)) for group in groups]
    connections: list[Connection] = []
    for group, each in zip(groups, counts, strict=True):
        for number, flow in enumerate(group.flows):
            offset = number / len(group.flows)

            def make(
                group: Group = group,
                flow: Flow = flow,
                each: LoadCounts = each,
                offset: float = offset,
            ) -> Connection:
                return Connection(group, flow, each, offset)

            connections.append(await _connect(host, port, make))

    async def wait(duration: float) -> None:
        until = time.perf_counter() + duration
        while (left := until - time.perf_counter()) > 0 and all(each.live for each in counts):
            await asyncio.sleep(min(left, 0.25))

    spin = _Spin() if _CORE_TO_SPARE else None
    await wait(warm_up)
    gc.collect()
    gc.freeze()
    gc.disable()
    for each in counts:
        each.measuring = True
    began = time.perf_counter()
    await wait(seconds)
    for each in counts:
        each.measuring = False
    took = time.perf_counter() - began
    gc.enable()
    gc.unfreeze()
    # Wait for answers in transit: a refresh token in an unread answer would be lost.
    for each in counts:
        each.draining = True
    for _ in range(_DRAIN_TRIES):
        if not any(connection.waiting and not connection.stopped for connection in connections):
            break
        await asyncio.sleep(0.05)
    if spin is not None:
        spin.stop()
    for connection in connections:
        connection.stop()
    await asyncio.sleep(0.05)
    results: list[Result] = []
    for group, each in zip(groups, counts, strict=True):
        ordered = sorted(each.latencies)
        results.append(
            Result(
                name=group.name,
                connections=len(group.flows),
                seconds=took,
                requests=len(ordered),
                p50_ms=_percentile(ordered, 0.50),
                p99_ms=_percentile(ordered, 0.99),
                failures=each.failures,
                first_failure=each.first_failure,
                longest_ms=_percentile(ordered, 1.0),
            )
        )
    return results


def run(
    host: str,
    port: int,
    groups: Sequence[Group],
    *,
    warm_up: float = 1.0,
    seconds: float = 5.0,
) -> list[Result]:
    """Run all groups at once against one server; `warm_up` and `seconds` are in seconds. Returns one result per group.

    Raises OSError when the server does not accept connections.
    """
    return uvloop.run(_run(host, port, groups, warm_up, seconds))
