"""Signal: a password that is in the operator's list of breached ones."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason


class BreachedPasswordSignal(Struct, frozen=True):
    """Such a password may be set before it gets into the list."""

    code: Code = "breached_password"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device is new and the password is in the list. `threshold` has no meaning."""
        del threshold
        if facts.device_known or not facts.breached:
            return None
        return RiskReason(self.code, facts.where.place)
