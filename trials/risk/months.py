"""Months of sign-ins from a seed: honest groups of equal size, and attacks among them.

Imports no rule of the server: tests/trials/test_risk.py checks that.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from trials.risk.attacks import ELSEWHERE, KNOWN_AGENT, NEAR, SPRAY, STUFFING, guesses, takeovers, travel
from trials.risk.groups import GROUPS
from trials.risk.table import START, Line
from trials.risk.world import World, world

GUESSES: Final = {SPRAY: 0.04, STUFFING: 0.03}
"""Shares of all sign-ins."""
STRANGERS: Final = 0.004
"""Share of each other attack."""


@dataclass(frozen=True)
class Months:
    """The lines in order of time, and the world with the operator's files."""

    lines: list[Line]
    world: World


def months(seed: int, size: int) -> Months:
    """About `size` tried sign-ins in the days that count. The same seed and size give the same lines, byte for byte."""
    random = Random(seed)
    made = world(random)
    attacks = sum(GUESSES.values()) + 4 * STRANGERS
    quota = size * (1 - attacks) / len(GROUPS)
    lines: list[Line] = []
    for label, group in GROUPS:
        count, number = 0, 0
        while count < quota:
            number += 1
            found = group(made, random, f"{label.split(maxsplit=1)[0]}{number}")
            count += sum(line.what == "tried" and line.at >= START for line in found)
            lines += found
    lines.sort(key=lambda line: line.at)
    planted: list[Line] = []
    for attack, share in GUESSES.items():
        planted += guesses(made, random, attack, round(size * share))
    each = round(size * STRANGERS)
    planted += travel(made, random, each, lines)
    for attack in (ELSEWHERE, NEAR, KNOWN_AGENT):
        planted += takeovers(made, random, attack, each)
    lines += planted
    lines.sort(key=lambda line: line.at)
    return Months(lines, made)
