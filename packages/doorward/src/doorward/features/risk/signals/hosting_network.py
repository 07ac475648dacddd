"""Signal: a network of rented machines."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason
from doorward.features.risk.rules.familiar import hides


class HostingNetworkSignal(Struct, frozen=True):
    """By the operator's lists. VPN providers have exits in such networks, so that people who use either kind always are not asked again."""

    code: Code = "hosting_network"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device is new, the network is listed as `hosting`, and the account has not signed in from a hosting or
        anonymous network. `threshold` has no meaning.
        """
        del threshold
        if facts.device_known or facts.where.kind != "hosting":
            return None
        if hides(facts):
            return None
        last = facts.past[0] if facts.past else None
        before = (None, None) if last is None else (last.where.place, last.at)
        return RiskReason(self.code, facts.where.place, *before)
