"""Facts for tests of risk: a person at home in Lisbon, on whose facts each test changes what it is about."""

from __future__ import annotations

from typing import Any, Final

from doorward.core.model.place import NetworkKind, Place
from doorward.core.model.risk import PastSignIn, RiskFacts, Whereabouts

DAY: Final = 86_400
NOW: Final = 1_800_000_000
LISBON: Final = Place("PT", "Lisbon", "Lisbon", 38.72, -9.14)
PORTO: Final = Place("PT", "Porto", "Porto", 41.15, -8.61)
BERLIN: Final = Place("DE", "Berlin", "Berlin", 52.52, 13.40)
SYDNEY: Final = Place("AU", "New South Wales", "Sydney", -33.87, 151.21)
HOME: Final = Whereabouts("20.1.1.0/24", LISBON)
CHROME: Final = "Chrome on Windows"


def somewhere(
    place: Place | None, network: str = "20.9.9.0/24", kind: NetworkKind | None = None
) -> Whereabouts:
    """An origin in another network than home."""
    return Whereabouts(network, place, kind)


def before(
    ago: int = DAY, where: Whereabouts = HOME, browser: str | None = CHROME, *, new_device: bool = False
) -> PastSignIn:
    """A sign-in that many seconds ago."""
    return PastSignIn(NOW - ago, where, browser, new_device)


def private(*, of: int, new: int, where: Whereabouts = HOME) -> tuple[PastSignIn, ...]:
    """So many sign-ins, the newest of which were on new devices."""
    return tuple(before((one + 1) * DAY, where, new_device=one < new) for one in range(of))


def facts(**changed: Any) -> RiskFacts:
    """A sign-in at home on a new device, with the usual browser, a day after the last of five."""
    usual: dict[str, Any] = {
        "at": NOW,
        "where": HOME,
        "browser": CHROME,
        "past": tuple(before(at * DAY) for at in range(1, 6)),
    }
    return RiskFacts(**{**usual, **changed})
