"""Growth of an operation's time when the database has a thousand times as many rows.

All sizes are measured in turns, round after round. The growth of a round is its time at a size divided by its
time at the smallest size, and the result is the median of the rounds.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.load import Result
from bench.scale import operations
from bench.scale.grounds import Ground
from bench.scale.grown import State, label
from bench.scale.operations import WAITING, Operations, Timing
from bench.scale.serving import Served, drive, served

STORE = ("sign_in_lookup", "introspection", "refresh")
"""The operations measured at the store, in this order."""
HTTP = ("http_introspection", "http_refresh")
"""The operations measured at the endpoints of a server."""
_COLD = 200
_WARM_UP = 2000
"""Operations a second: the shortest rounds have hardly any warm-up."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Length of a measurement: seconds for a round at the store, and at a server."""

    store: float
    http: float
    rounds: int


def ratio(at: Sequence[float], base: Sequence[float]) -> float:
    """The median over the rounds of one time divided by the other."""
    return statistics.median(one / other for one, other in zip(at, base, strict=True))


@dataclass(frozen=True, slots=True)
class AtStore:
    """Rounds by operation and size; `cold` is the first operation after the caches were emptied."""

    cold: dict[str, dict[int, Timing]]
    warm: dict[str, dict[int, list[Timing]]]


async def at_store(ground: Ground, state: State, sizes: Sequence[int], effort: Effort) -> AtStore:
    """The three operations directly at the store, in this process."""
    cold: dict[str, dict[int, Timing]] = {name: {} for name in STORE}
    for grants in sizes:
        ground.cool(label(grants))
    async with contextlib.AsyncExitStack() as stack:
        every: dict[int, Operations] = {}
        for grants in sizes:
            store = await ground.open(label(grants))
            stack.push_async_callback(store.close)
            every[grants] = Operations(store, state.world, grants, Random(f"{grants}"))
            for name in STORE:
                cold[name][grants] = await operations.a_few(_of(every[grants], name), _COLD)
        for grants in sizes:
            ground.warm(label(grants))
            for name in STORE:
                await operations.a_few(_of(every[grants], name), int(_WARM_UP * effort.http))
        warm: dict[str, dict[int, list[Timing]]] = {name: {n: [] for n in sizes} for name in STORE}
        for number in range(effort.rounds):
            for name in STORE:
                for grants in _in_turn(sizes, number):
                    waiting = WAITING if name == "refresh" else 1
                    found = await operations.at_once(_of(every[grants], name), effort.store, waiting=waiting)
                    warm[name][grants].append(found)
    return AtStore(cold, warm)


def _of(every: Operations, name: str) -> Callable[[], operations.Doing]:
    return {"sign_in_lookup": every.look_up, "introspection": every.introspect, "refresh": every.refresh}[
        name
    ]


def _in_turn(sizes: Sequence[int], number: int) -> list[int]:
    """Each round begins with another size, so that no size always follows a pause."""
    shift = number % len(sizes)
    return [*sizes[shift:], *sizes[:shift]]


def at_server(
    ground: Ground,
    state: State,
    sizes: Sequence[int],
    effort: Effort,
    folder: Path,
    cores: Collection[int],
) -> dict[str, dict[int, list[Result]]]:
    """Introspection and refresh at servers with one worker, one server for each size, on `cores`."""
    found: dict[str, dict[int, list[Result]]] = {name: {n: [] for n in sizes} for name in HTTP}
    with contextlib.ExitStack() as stack:
        every = {
            grants: stack.enter_context(served(ground, state, grants, folder, cores=cores))
            for grants in sizes
        }
        for number in range(effort.rounds):
            for name in HTTP:
                for grants in _in_turn(sizes, number):
                    warm_up = effort.http / (4 if number else 1)
                    found[name][grants].append(_drive(every[grants], name, number, warm_up, effort.http))
    return found


def _drive(server: Served, name: str, number: int, warm_up: float, seconds: float) -> Result:
    flows = server.introspection() if name == "http_introspection" else server.refresh(number)
    return drive(server, f"{name}, {label(server.grants)}", flows, warm_up=warm_up, seconds=seconds)


def run_at_store(ground: Ground, state: State, sizes: Sequence[int], effort: Effort) -> AtStore:
    """`at_store` on an event loop of its own."""
    return asyncio.run(at_store(ground, state, sizes, effort))
