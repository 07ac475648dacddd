"""Use of an app's tokens from two networks at once."""

from __future__ import annotations

import pytest

from doorward.core.model.risk import Whereabouts
from doorward.features.risk.rules import family as rule
from tests.features.risk.made import BERLIN, HOME, LISBON, PORTO, somewhere


def uses(*addresses: str, every: int = 60) -> tuple[rule.Use, ...]:
    found: tuple[rule.Use, ...] = ()
    for number, address in enumerate(addresses):
        found = rule.followed(found, address, 1000 + number * every)
    return found


def test_runs_of_one_address_are_one_use() -> None:
    assert uses("a", "a", "b", "b", "a") == ((1000, "a"), (1120, "b"), (1240, "a"))


def test_only_turns_are_looked_at() -> None:
    assert not rule.in_turn(uses("a", "a", "a", "b", "b"))
    assert not rule.in_turn(uses("a", "b", "a"))
    assert rule.in_turn(uses("a", "b", "a", "b"))
    assert not rule.in_turn(uses("a", "b", "a", "b", every=rule.WINDOW)), "not within the window"
    assert len(uses(*"abababababab")) == rule.TURNS + 1


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (HOME, somewhere(BERLIN), True),
        (HOME, somewhere(LISBON, kind="anonymous"), True),
        # a carrier, an unknown place, a company's exit, a private address
        (HOME, somewhere(PORTO), False),
        (HOME, somewhere(None), False),
        (HOME, somewhere(BERLIN, kind="company"), False),
        (HOME, Whereabouts(), False),
        (somewhere(None, "x", "hosting"), somewhere(None, "y", "anonymous"), False),
    ],
)
def test_two_places_in_turn(one: Whereabouts, other: Whereabouts, found: bool) -> None:
    assert rule.two_networks((one, other, one, other)) is found


def test_three_networks_are_a_journey() -> None:
    assert not rule.two_networks((somewhere(PORTO, "z"), HOME, somewhere(BERLIN), HOME))
    assert not rule.two_networks((HOME, HOME, HOME, HOME))
