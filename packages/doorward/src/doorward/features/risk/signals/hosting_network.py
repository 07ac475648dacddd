"""Signal: a network of rented machines."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason


class HostingNetworkSignal(Struct, frozen=True):
    """By the operator's lists. People who use such a network always are not asked again."""

    code: Code = "hosting_network"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device is new, the network is listed as `hosting`, and the account has not signed in from any such
        network. `threshold` has no meaning.
        """
        del threshold
        if facts.device_known or facts.where.kind != "hosting":
            return None
        if any(one.where.kind == "hosting" for one in facts.past):
            return None
        last = facts.past[0] if facts.past else None
        before = (None, None) if last is None else (last.where.place, last.at)
        return RiskReason(self.code, facts.where.place, *before)
