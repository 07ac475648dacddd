"""Signal: a factor or the address that has just been changed."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason
from doorward.features.risk.rules.familiar import network_known


class RecentChangeSignal(Struct, frozen=True):
    """Who has taken over an account changes these first, and then comes from elsewhere."""

    code: Code = "recent_change"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device and its network are new, and a change was made in the last `threshold` hours."""
        at = facts.changed_at
        if facts.device_known or network_known(facts) or at is None or facts.at - at > threshold * 3600:
            return None
        return RiskReason(self.code, facts.where.place, before_at=at)
