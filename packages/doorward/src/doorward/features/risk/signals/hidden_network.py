"""Signal: a network that hides where somebody is: an anonymous one (VPN, proxy, Tor), or one of rented machines."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.place import NetworkKind
from doorward.core.model.risk import Code, RiskFacts, RiskReason
from doorward.features.risk.rules.familiar import hidden_before


class HiddenNetworkSignal(Struct, frozen=True):
    """By the operator's lists: networks of this `kind`. VPN providers have exits in both kinds, so that people who use either always are not
    asked again."""

    code: Code
    kind: NetworkKind

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device is new, the network is listed as `kind`, and the account has not signed in from an anonymous or hosting
        network. `threshold` has no meaning.
        """
        del threshold
        if facts.device_known or facts.where.kind != self.kind or hidden_before(facts):
            return None
        last = facts.past[0] if facts.past else None
        before = (None, None) if last is None else (last.where.place, last.at)
        return RiskReason(self.code, facts.where.place, *before)
