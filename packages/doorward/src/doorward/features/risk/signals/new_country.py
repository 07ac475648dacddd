"""Signal: a country from which the account has not signed in."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason
from doorward.features.risk.rules.familiar import earlier, placed

DAY: Final = 86_400


class NewCountrySignal(Struct, frozen=True):
    """An unknown place is no country, and neither is the exit of a company or a VPN."""

    code: Code = "new_country"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device is new and no sign-in of the last `threshold` days came from this country."""
        here = placed(facts.where)
        if facts.device_known or here is None:
            return None
        since = facts.at - threshold * DAY
        before = [(one, place) for one, place in earlier(facts) if one.at >= since]
        if not before or any(place.country == here.country for _, place in before):
            return None
        last, place = before[0]
        return RiskReason(self.code, here, place, last.at)
