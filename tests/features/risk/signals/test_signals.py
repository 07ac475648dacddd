"""Each signal at its edges."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.place import Place
from doorward.core.model.risk import Code, PastSignIn, RiskFacts, RiskReason, Whereabouts
from doorward.features.risk.settings import RiskPolicy
from doorward.features.risk.signals.index import SIGNALS
from tests.features.risk.made import (
    BERLIN,
    DAY,
    HOME,
    LISBON,
    NOW,
    PORTO,
    SYDNEY,
    before,
    facts,
    private,
    somewhere,
)


def look(code: Code, found: RiskFacts) -> RiskReason | None:
    (signal,) = [one for one in SIGNALS if one.code == code]
    return signal.look(found, RiskPolicy().threshold(code))


AWAY: dict[str, Any] = {"where": somewhere(PORTO)}
ABROAD: dict[str, Any] = {"where": somewhere(BERLIN)}
EXIT = somewhere(None, kind="anonymous")
HOUR = 3600
WITHOUT_COOKIES = (
    *private(of=3, new=3, where=EXIT),
    *(before(at * DAY, new_device=True) for at in range(4, 9)),
)
"""Of a person who uses a VPN in browsers that keep no cookies."""
FIRES: list[tuple[Code, dict[str, Any]]] = [
    ("new_device", AWAY),
    ("new_device", {"where": somewhere(LISBON), "browser": "Safari on iPhone"}),
    ("new_country", ABROAD),
    ("new_country", {**ABROAD, "past": (before(DAY), before(181 * DAY, somewhere(BERLIN)))}),
    # a VPN alone, or no cookies alone, make no country familiar; and with both, another kind of browser is asked
    ("new_country", {**ABROAD, "past": (*private(of=5, new=2), before(where=EXIT))}),
    ("new_country", {**ABROAD, "past": private(of=5, new=5)}),
    ("new_country", {**ABROAD, "past": (before(where=EXIT, new_device=True), *private(of=5, new=5))}),
    ("new_country", {**ABROAD, "past": WITHOUT_COOKIES, "browser": "Safari on iPhone"}),
    ("impossible_travel", {**ABROAD, "past": (before(2 * HOUR),)}),
    ("impossible_travel", {"where": somewhere(SYDNEY), "past": (before(12 * HOUR),)}),
    # the clock of another node may be ahead
    ("impossible_travel", {**ABROAD, "past": (before(-5),)}),
    ("hosting_network", {"where": somewhere(LISBON, kind="hosting")}),
    ("hosting_network", {"where": somewhere(LISBON, kind="hosting"), "past": ()}),
    ("anonymous_network", {"where": somewhere(None, kind="anonymous")}),
    ("many_accounts_from_address", {**AWAY, "accounts_on_network": 10}),
    ("many_addresses_on_account", {**AWAY, "networks_on_account": 5}),
    ("password_spray", {**AWAY, "misses_from_network": 4}),
    # strangers guess by the exit that the person uses, too
    ("password_spray", {"where": EXIT, "misses_from_network": 4, "past": (before(where=EXIT),)}),
    ("breached_password", {"breached": True}),
    ("refresh_replay", {"replayed_at": NOW - 24 * HOUR, "past": (before(2 * DAY),), "device_known": True}),
    (
        "family_on_two_networks",
        {"two_networks_at": NOW - 5, "two_networks": (HOME, somewhere(BERLIN))},
    ),
    ("recent_change", {**AWAY, "changed_at": NOW - 24 * HOUR}),
    ("dormant_account", {"past": (before(180 * DAY + 1),)}),
]
SILENT: list[tuple[Code, dict[str, Any]]] = [
    ("new_device", {}),
    ("new_device", {**AWAY, "device_known": True}),
    # another phone on the same network, and the usual kind of browser in another network of the same town
    ("new_device", {"browser": "Safari on iPhone"}),
    ("new_device", {"where": somewhere(LISBON)}),
    ("new_device", {**AWAY, "past": ()}),
    # four sign-ins are too few to say what is usual
    ("new_device", {**AWAY, "browser": "Safari on iPhone", "past": tuple(before(at) for at in range(4))}),
    ("new_device", {"where": somewhere(None)}),
    ("new_country", AWAY),
    ("new_country", {**ABROAD, "device_known": True}),
    ("new_country", {**ABROAD, "past": (before(DAY), before(180 * DAY, somewhere(BERLIN)))}),
    ("new_country", {**ABROAD, "past": ()}),
    ("new_country", {**ABROAD, "past": WITHOUT_COOKIES}),
    ("new_country", {**ABROAD, "past": (before(181 * DAY),)}),
    ("impossible_travel", {**ABROAD, "past": (before(3 * HOUR),)}),
    ("impossible_travel", {**ABROAD, "past": (before(60),), "device_known": True}),
    ("hosting_network", {"where": somewhere(LISBON, kind="hosting"), "device_known": True}),
    (
        "hosting_network",
        {
            "where": somewhere(LISBON, kind="hosting"),
            "past": (before(where=somewhere(None, kind="hosting")),),
        },
    ),
    (
        "hosting_network",
        {
            "where": somewhere(None, "x", "hosting"),
            "past": (before(where=somewhere(None, "y", "anonymous")),),
        },
    ),
    ("anonymous_network", {"where": somewhere(LISBON, kind="hosting")}),
    # lists disagree about the exits of VPN providers
    (
        "anonymous_network",
        {
            "where": somewhere(None, "x", "anonymous"),
            "past": (before(where=somewhere(None, "y", "hosting")),),
        },
    ),
    (
        "anonymous_network",
        {
            "where": somewhere(None, "x", "anonymous"),
            "past": (before(where=somewhere(None, "y", "anonymous")),),
        },
    ),
    ("many_accounts_from_address", {**AWAY, "accounts_on_network": 9}),
    ("many_accounts_from_address", {"accounts_on_network": 1000}),
    ("many_addresses_on_account", {**AWAY, "networks_on_account": 4}),
    ("many_addresses_on_account", {**AWAY, "networks_on_account": 1000, "password": False}),
    ("many_addresses_on_account", {"networks_on_account": 1000}),
    ("password_spray", {**AWAY, "misses_from_network": 3}),
    ("password_spray", {**AWAY, "misses_from_network": 1000, "device_known": True}),
    ("password_spray", {"misses_from_network": 1000}),
    ("password_spray", {**AWAY, "misses_from_network": 1000, "password": False}),
    ("breached_password", {}),
    ("breached_password", {"breached": True, "device_known": True}),
    ("refresh_replay", {"replayed_at": NOW - 24 * HOUR - 1, "past": ()}),
    ("refresh_replay", {"replayed_at": NOW - HOUR, "past": (before(HOUR - 1),)}),
    ("refresh_replay", {}),
    ("family_on_two_networks", {"two_networks_at": NOW - HOUR, "past": (before(60),)}),
    ("family_on_two_networks", {}),
    ("family_on_two_networks", {"two_networks_at": NOW - 5, "device_known": True}),
    ("recent_change", {"changed_at": NOW}),
    ("recent_change", {**AWAY, "changed_at": NOW - 24 * HOUR - 1}),
    ("recent_change", {**AWAY, "changed_at": NOW, "device_known": True}),
    ("dormant_account", {"past": (before(180 * DAY),)}),
    ("dormant_account", {"past": (before(999 * DAY),), "device_known": True}),
    ("dormant_account", {"past": ()}),
]


@pytest.mark.parametrize(("code", "changed"), FIRES)
def test_it_fires(code: Code, changed: dict[str, Any]) -> None:
    reason = look(code, facts(**changed))
    assert reason is not None
    assert reason.code == code


@pytest.mark.parametrize(("code", "changed"), SILENT)
def test_it_is_silent(code: Code, changed: dict[str, Any]) -> None:
    assert look(code, facts(**changed)) is None


@pytest.mark.parametrize("place", [None, Place("DE")])
def test_an_unknown_place_is_never_impossible_travel(place: Place | None) -> None:
    """(authentik#25660)"""
    assert look("impossible_travel", facts(where=somewhere(place), past=(before(1),))) is None
    assert (
        look("impossible_travel", facts(where=somewhere(BERLIN), past=(before(1, somewhere(place)),))) is None
    )
    assert look("new_country", facts(where=somewhere(None), past=(before(1),))) is None


def test_a_carrier_that_moves_people_inside_a_country_asks_nothing() -> None:
    """(FusionAuth#3014)"""
    moved = facts(where=somewhere(PORTO), past=(before(1),))
    assert look("impossible_travel", moved) is None
    assert look("new_country", moved) is None


@pytest.mark.parametrize(
    "code", ["new_country", "impossible_travel", "password_spray", "many_accounts_from_address"]
)
def test_company_exits_can_be_listed(code: Code) -> None:
    """Company exits can be listed: a company exit is never a new country or impossible travel."""
    exit_abroad = somewhere(BERLIN, kind="company")
    crowd = {"misses_from_network": 1000, "accounts_on_network": 1000}
    assert look(code, facts(where=exit_abroad, past=(before(1),), **crowd)) is None
    came_from = facts(where=somewhere(BERLIN), past=(before(1, somewhere(SYDNEY, "x", "company")), before(9)))
    if code == "impossible_travel":
        # the exit is not where the person was: the sign-in before it counts
        reason = look(code, came_from)
        assert reason is not None
        assert reason.before == LISBON


@pytest.mark.parametrize("code", ["new_device", "new_country", "impossible_travel"])
def test_a_private_address_is_no_signal(code: Code) -> None:
    """(authentik#12214)"""
    assert (
        look(code, facts(where=Whereabouts(), browser="curl", past=(before(1, somewhere(SYDNEY)),))) is None
    )
    assert (
        look(code, facts(past=(PastSignIn(NOW - 1, Whereabouts(), None),), where=somewhere(BERLIN))) is None
    )
