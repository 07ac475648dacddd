"""Signal: a right password after many wrong ones from the same network."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason
from doorward.features.risk.rules.familiar import HIDDEN, network_known


class PasswordSpraySignal(Struct, frozen=True):
    """The wrong guesses are those that the rate limits count, at any accounts, from devices that those do not know."""

    code: Code = "password_spray"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device and its network are new, and at least `threshold` guesses from the network were wrong in the
        running window. A VPN's exit or a rented machine is new to everybody: strangers share it with its users.
        """
        kind = facts.where.kind
        usual = kind == "company" or (kind not in HIDDEN and network_known(facts))
        if facts.device_known or not facts.password or usual:
            return None
        if facts.misses_from_network < threshold:
            return None
        return RiskReason(self.code, facts.where.place, count=facts.misses_from_network)
