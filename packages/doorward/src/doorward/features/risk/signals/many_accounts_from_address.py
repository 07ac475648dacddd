"""Signal: many accounts that sign in from one network on new devices."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason
from doorward.features.risk.rules.familiar import network_known


class ManyAccountsSignal(Struct, frozen=True):
    """Behind the exit of a company, and on a network that the person used before, this is usual."""

    code: Code = "many_accounts_from_address"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device is new, and so it was for at least `threshold` other accounts from this network in the last hour."""
        if facts.device_known or facts.where.kind == "company" or network_known(facts):
            return None
        if facts.accounts_on_network < threshold:
            return None
        return RiskReason(self.code, facts.where.place, count=facts.accounts_on_network)
