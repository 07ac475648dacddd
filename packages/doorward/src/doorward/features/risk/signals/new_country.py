"""Signal: a country from which the account has not signed in."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason
from doorward.features.risk.rules.familiar import browser_known, earlier, hides, keeps_no_cookies, placed

DAY: Final = 86_400


class NewCountrySignal(Struct, frozen=True):
    """An unknown place is no country, and neither is the exit of a company or a VPN. Some exits of VPNs are in no list."""

    code: Code = "new_country"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device is new and no sign-in of the last `threshold` days came from this country. None for people who use
        VPNs in browsers that keep no cookies, with a kind of browser that is theirs: each exit that no list has would ask them."""
        here = placed(facts.where)
        if facts.device_known or here is None:
            return None
        if hides(facts) and keeps_no_cookies(facts) and browser_known(facts):
            return None
        since = facts.at - threshold * DAY
        before = [(one, place) for one, place in earlier(facts) if one.at >= since]
        if not before or any(place.country == here.country for _, place in before):
            return None
        last, place = before[0]
        return RiskReason(self.code, here, place, last.at)
