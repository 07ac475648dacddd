"""Check of the risk policy: what it cannot do, and what was left on. Part of `doctor`; changes nothing."""

from __future__ import annotations

from typing import Final

from doorward.core.model.finding import Finding, passed
from doorward.features.feature import Examined
from doorward.features.places.settings import PlacePolicy
from doorward.features.risk.rules.history import ASSESSED, SHADOWED
from doorward.features.risk.settings import RiskPolicy

_DAY: Final = 86_400
_WEEK: Final = 7 * _DAY
_MOST: Final = 1000


async def policy(examined: Examined) -> Finding:
    """The mode, the verdicts of the last week, and what is missing for them."""
    chosen, places = examined.sections.of(RiskPolicy), examined.sections.of(PlacePolicy)
    if chosen.mode == "off":
        return passed("off: no sign-in is looked at", 'Set risk.mode to "shadow" or "enforce".')
    page = examined.store.audit.page
    kind = SHADOWED if chosen.mode == "shadow" else ASSESSED
    recent = [line for line in await page(kind=kind, limit=_MOST) if line.at > examined.now - _WEEK]
    said = f"{chosen.mode}; {len(recent)} sign-ins looked dangerous in the last 7 days"
    if chosen.mode == "shadow":
        oldest = [
            line for line in await page(kind=SHADOWED, limit=_MOST) if line.at < examined.now - 30 * _DAY
        ]
        if oldest:
            return passed(
                f"{said}; shadow has been on for more than 30 days",
                'See doorward risk replay, then set risk.mode to "enforce" or "off".',
            )
    if chosen.harsh:
        return passed(
            f"{said}; people are kept out on {', '.join(chosen.harsh)}",
            "On a new device they have no way in then. See what it would have done: doorward risk replay.",
        )
    missing: list[str] = []
    if places.database is None and not places.countries:
        missing.append("new_country and impossible_travel (places.database or places.countries)")
    if not places.hosting:
        missing.append("hosting_network (places.hosting)")
    if not places.anonymous:
        missing.append("anonymous_network (places.anonymous)")
    if missing:
        return passed(
            f"{said}; without files there are no {', '.join(missing)}", "See docs/guides/places.md."
        )
    return passed(said)
