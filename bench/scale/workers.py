"""Effect of more workers on PostgreSQL, compared with one worker and with the peer.

The load has one core; workers, PostgreSQL and the peer have all others, so that more workers than cores
compete with one another and with the database, as on a machine of that size. The sides are measured in turns.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import peer
from bench.load import Result
from bench.rounds import valid
from bench.scale.grounds import Ground
from bench.scale.grown import State
from bench.scale.serving import Served, drive, served

NUMBERS = (1, 2, 4)
KINDS = ("client_credentials", "refresh")
MOST_ROUNDS = 3
CONNECTIONS = 64
PEER = 0
"""Stands for the peer in place of a number of workers."""

Side = Callable[[str, int, float, float], Result]
"""Runs one round of a kind: its number, warm-up and length in seconds."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Rounds by kind and number of workers; `label` is the name of the peer, `missing` the reason why there was none."""

    rounds: dict[str, dict[int, list[Result]]]
    label: str
    missing: str

    def ratio(self, kind: str, one: int, other: int) -> float | None:
        """Median over the rounds of one side's rate divided by another's; None when the other was missing."""
        ours, theirs = self.rounds[kind].get(one), self.rounds[kind].get(other)
        if not ours or not theirs:
            return None
        return statistics.median(a.rate / b.rate for a, b in zip(ours, theirs, strict=True))


def compare(
    ground: Ground,
    state: State,
    grants: int,
    folder: Path,
    *,
    seconds: float,
    rounds: int,
    cores: Collection[int],
    numbers: Sequence[int] = NUMBERS,
) -> Compared:
    """Measure all sides on the database of that size. Raises Invalid when an answer was not the expected one."""
    sides: dict[int, Side] = {}
    name, missing = "", ""
    with contextlib.ExitStack() as stack:
        try:
            other = stack.enter_context(peer.started(cores))
        except (peer.PeerMissing, OSError) as error:
            missing = str(error)
        else:
            sides[PEER], name = _theirs(other), other.label
        for workers in numbers:
            server = stack.enter_context(served(ground, state, grants, folder, cores=cores, workers=workers))
            sides[workers] = _ours(server, workers)
        found: dict[str, dict[int, list[Result]]] = {kind: {n: [] for n in sides} for kind in KINDS}
        for number in range(min(rounds, MOST_ROUNDS)):
            order = list(sides) if number % 2 else list(reversed(sides))
            for kind in KINDS:
                for one in order:
                    warm_up = 1.0 if number else 3.0
                    found[kind][one].append(valid(sides[one](kind, number, warm_up, seconds)))
    return Compared(found, name, missing)


def _ours(server: Served, workers: int) -> Side:
    def side(kind: str, number: int, warm_up: float, seconds: float) -> Result:
        if kind == "refresh":
            flows = server.refresh(1000 * workers + number, CONNECTIONS)
        else:
            flows = server.client_credentials(CONNECTIONS)
        return drive(server, f"{kind}, {workers} workers", flows, warm_up=warm_up, seconds=seconds)

    return side


def _theirs(other: peer.Peer) -> Side:
    def side(kind: str, number: int, warm_up: float, seconds: float) -> Result:
        measure = peer.refresh if kind == "refresh" else peer.client_credentials
        return measure(other, warm_up=warm_up, seconds=seconds)

    return side
