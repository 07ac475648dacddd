"""Signal: a device that the account does not know."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason
from doorward.features.risk.rules.familiar import browser_known, habits_known, network_new, town_known


class NewDeviceSignal(Struct, frozen=True):
    """A browser update or another address on a known device is none: the device's own secret tells it."""

    code: Code = "new_device"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device is new, and so are at least `threshold` of network, town and kind of browser. The first sign-ins of
        an account have too little to compare.
        """
        if facts.device_known or not habits_known(facts):
            return None
        new = [network_new(facts), not town_known(facts), not browser_known(facts)]
        if sum(new) < threshold:
            return None
        last = facts.past[0]
        return RiskReason(self.code, facts.where.place, last.where.place, last.at, sum(new))
