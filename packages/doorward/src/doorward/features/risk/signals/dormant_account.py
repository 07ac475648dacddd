"""Signal: an account that nobody has used for long."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason

DAY: Final = 86_400


class DormantAccountSignal(Struct, frozen=True):
    """Its owner would hardly notice a stranger."""

    code: Code = "dormant_account"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device is new and the last sign-in was more than `threshold` days ago."""
        if facts.device_known or not facts.past or facts.at - facts.past[0].at <= threshold * DAY:
            return None
        last = facts.past[0]
        return RiskReason(self.code, facts.where.place, last.where.place, last.at)
