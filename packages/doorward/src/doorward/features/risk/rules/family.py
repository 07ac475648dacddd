"""Use of an app's tokens from two networks at once: two places in turn, not one move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.core.model.risk import Whereabouts

WINDOW: Final = 900
"""Seconds in which the turns happen."""
TURNS: Final = 3
"""Changes of the network: there, back, and there again. A phone that leaves its Wi-Fi changes once."""

Use = tuple[int, str]
"""When (seconds), and the address."""


def followed(uses: Sequence[Use], address: str, now: int) -> tuple[Use, ...]:
    """The uses after one more at `now`: the start of each run of one address in the window, oldest first."""
    if uses and uses[-1][1] == address and uses[0][0] > now - WINDOW and len(uses) <= TURNS:
        # nearly every request of nearly every app
        return tuple(uses)
    kept = tuple(use for use in uses if use[0] > now - WINDOW)[-TURNS:]
    return kept if kept and kept[-1][1] == address else (*kept, (now, address))


def in_turn(uses: Sequence[Use]) -> bool:
    """Whether there were enough changes to look at the places."""
    return len(uses) > TURNS


def two_networks(places: Sequence[Whereabouts]) -> bool:
    """Whether these origins of `uses` alternate between two networks that one person cannot be in by turns: in two countries, or one of
    them hides where somebody is. Where a place is unknown nothing is concluded, and carriers change inside a country."""
    first, second = places[-2], places[-1]
    if not first.network or not second.network or first.network == second.network:
        return False
    if {one.network for one in places} != {first.network, second.network}:
        return False
    if "company" in {first.kind, second.kind}:
        return False
    if (first.kind is None) != (second.kind is None):
        return True
    return (
        first.place is not None and second.place is not None and first.place.country != second.place.country
    )
