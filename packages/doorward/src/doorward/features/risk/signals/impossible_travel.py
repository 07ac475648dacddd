"""Signal: two places too far apart for the time between them."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason
from doorward.features.risk.rules.familiar import distance, earlier, placed

NOTHING: Final = 200
"""Kilometres within which a database may err across a border."""
MINUTE: Final = 60


class ImpossibleTravelSignal(Struct, frozen=True):
    """Carriers place their customers anywhere in a country, so that only another country counts. Needs coordinates of both places; an
    unknown place is never impossible travel.
    """

    code: Code = "impossible_travel"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device is new, and the last sign-in whose place is known was in another country, so far away that one
        would have had to travel faster than `threshold` km/h.
        """
        here = placed(facts.where)
        if facts.device_known or here is None:
            return None
        last, place = next(iter(earlier(facts)), (None, None))
        if last is None or place is None or place.country == here.country:
            return None
        apart = distance(here, place)
        if apart is None or apart < NOTHING:
            return None
        hours = max(facts.at - last.at, MINUTE) / 3600
        if apart <= threshold * hours:
            return None
        return RiskReason(self.code, here, place, last.at, round(apart))
