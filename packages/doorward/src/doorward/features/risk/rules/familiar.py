"""What is familiar to an account: networks, towns, countries and browsers of its earlier sign-ins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, islice
from math import asin, cos, radians, sin, sqrt
from typing import Final

from doorward.core.model.place import Place
from doorward.core.model.risk import PastSignIn, RiskFacts, Whereabouts

EARTH: Final = 6371.0
"""Mean radius in km."""
SAME_TOWN: Final = 50.0
"""Kilometres. Databases place the same household that far apart."""
TOWN: Final = 50
"""The largest radius, in km, of a place that is a town. Mobile networks have larger ones: such a place says the country alone."""
HABITS: Final = 5
"""Sign-ins from which a person's habits are known. Before, a second device of one's own looks like a stranger's."""
SEEN: Final = 2
"""Days with sign-ins that make a town familiar: one was perhaps a visit, and several sign-ins of one day perhaps a stranger's."""
ARRIVED: Final = 7 * 86_400
"""Seconds after the first sign-in in a town in which the person is there still, on a journey or after moving."""
JOURNEY: Final = 14 * 86_400
"""Seconds after the first sign-in in another country in which all its towns are those of a traveller. Whoever was away from a country
for less was on a journey, and is at home there again."""
DAY: Final = 86_400
LATEST: Final = 10
"""Days with sign-ins that show whether a person's browsers keep cookies."""
BEHIND: Final = 3
"""Days on networks that hide where people are, among the last `AMONG` with sign-ins, that show a habit."""
AMONG: Final = 20
HIDDEN: Final = frozenset({"anonymous", "hosting"})
"""Kinds of networks that hide where people are. VPN providers have exits in both, and lists disagree."""


def placed(where: Whereabouts) -> Place | None:
    """Where the person is. None behind an exit of a company, a VPN or a rented machine, whose place says nothing about people."""
    return where.place if where.kind is None else None


def earlier(facts: RiskFacts) -> Iterable[tuple[PastSignIn, Place]]:
    """The earlier sign-ins whose place is known, newest first."""
    return ((one, place) for one in facts.past if (place := placed(one.where)) is not None)


def habits_known(facts: RiskFacts) -> bool:
    """Whether the account has signed in often enough to say what is unusual for it."""
    return len(facts.past) >= HABITS


def hides(facts: RiskFacts) -> bool:
    """Whether the person comes from VPNs or rented machines by habit: on `BEHIND` of the last days with sign-ins. One sign-in was perhaps a
    friend's computer, and several on one day perhaps a stranger's."""
    return sum(any(one.where.kind in HIDDEN for one in day) for day in _days(facts, AMONG)) >= BEHIND


def hidden_before(facts: RiskFacts) -> bool:
    """Whether the person has come from a VPN or a rented machine before: of another such network it says enough, of a place nothing."""
    return any(one.where.kind in HIDDEN for one in facts.past)


def keeps_no_cookies(facts: RiskFacts) -> bool:
    """Whether all sign-ins of most of the latest days were on devices new to the account: the person uses private windows, or browsers
    that delete cookies, and a new device says nothing about such a person. Many sign-ins of one day count once."""
    days = _days(facts, LATEST)
    return len(days) >= HABITS and 2 * sum(all(one.new_device for one in day) for day in days) > len(days)


def _days(facts: RiskFacts, most: int) -> Sequence[Sequence[PastSignIn]]:
    """The earlier sign-ins by day (UTC), the latest first, of at most so many days."""
    return [tuple(day) for _, day in islice(groupby(facts.past, lambda one: one.at // DAY), most)]


def network_known(facts: RiskFacts) -> bool:
    """Whether the person signed in from this network before, or it is none that says anything."""
    network = facts.where.network
    return not network or any(one.where.network == network for one in facts.past)


def network_new(facts: RiskFacts) -> bool:
    """Whether the person came from other networks so far. False where no earlier network is known."""
    return not network_known(facts) and any(one.where.network for one in facts.past)


def browser_known(facts: RiskFacts) -> bool:
    """Whether the person signed in by this kind of browser on this system before, whatever their versions. True where no browser is
    known, now or earlier."""
    before = {one.browser for one in facts.past} - {None}
    return facts.browser is None or not before or facts.browser in before


def town_known(facts: RiskFacts) -> bool:
    """Whether the person signed in near here on `SEEN` days before, or once in the last week. True where no town is known, here or earlier,
    for people who hide where they are, some of whose exits are in no list, and for people whose browsers keep no cookies, who would be
    asked in each town that they visit: nothing speaks against it."""
    if hides(facts) or keeps_no_cookies(facts):
        return True
    here = placed(facts.where)
    before = [(one.at, place) for one, place in earlier(facts) if _town(place)]
    if here is None or not _town(here) or not before:
        return True
    if _on_a_journey(facts, here.country):
        return True
    seen = [at for at, place in before if near(here, place)]
    days = len({at // DAY for at, _ in before})
    return len({at // DAY for at in seen}) >= min(SEEN, days) or any(at > facts.at - ARRIVED for at in seen)


def _on_a_journey(facts: RiskFacts, country: str) -> bool:
    """Whether the person came to this country in the last `JOURNEY` seconds, and was in others for longer than that before. Of people who
    sign in often the history ends early: it must show the time before they came, not only lack an earlier sign-in here."""
    places = tuple(earlier(facts))
    came = min((one.at for one, place in places if place.country == country), default=0)
    away = [one.at for one, _ in places if one.at < came]
    return came > facts.at - JOURNEY and len(away) >= HABITS and min(away) <= came - JOURNEY


def _town(place: Place) -> bool:
    return (place.radius or 0) <= TOWN


def near(one: Place, other: Place) -> bool:
    """Whether two places may be the same town. Without coordinates by name, and without a name by country."""
    if one.country != other.country:
        return False
    apart = distance(one, other)
    if apart is not None:
        return apart <= SAME_TOWN
    return one.city is None or other.city is None or one.city == other.city


def distance(one: Place, other: Place) -> float | None:
    """The smallest distance in km that fits both places and their radii, by the haversine formula; None without coordinates."""
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return None
    up, along = radians(other.latitude - one.latitude), radians(other.longitude - one.longitude)
    part = sin(up / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(along / 2) ** 2
    apart = 2 * EARTH * asin(sqrt(min(1.0, part)))
    return max(0.0, apart - (one.radius or 0) - (other.radius or 0))
