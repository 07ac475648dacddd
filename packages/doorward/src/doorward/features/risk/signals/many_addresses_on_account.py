"""Signal: wrong passwords for one account from many networks."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason
from doorward.features.risk.rules.familiar import network_known


class ManyAddressesSignal(Struct, frozen=True):
    """Strangers can cause it, so that it asks nothing on a device that the account knows, nor on a network that it used (R95)."""

    code: Code = "many_addresses_on_account"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if the device and its network are new, and the password was guessed wrongly from at least `threshold` networks in
        the last day.
        """
        if facts.device_known or not facts.password or network_known(facts):
            return None
        if facts.networks_on_account < threshold:
            return None
        return RiskReason(self.code, facts.where.place, count=facts.networks_on_account)
