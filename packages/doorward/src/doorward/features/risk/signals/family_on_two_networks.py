"""Signal: an app's tokens that were used from two networks at once."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason


class FamilyOnTwoNetworksSignal(Struct, frozen=True):
    """Two places in turn, again and again within minutes, mean two holders. An API reports them, so they ask nothing of a person on a known
    device (R95)."""

    code: Code = "family_on_two_networks"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if that was in the last `threshold` hours, and nobody has signed in since. Both places are those of the tokens."""
        at = facts.two_networks_at
        if (
            facts.device_known
            or at is None
            or facts.at - at > threshold * 3600
            or (facts.past and facts.past[0].at > at)
        ):
            return None
        one, other = facts.two_networks or (facts.where, facts.where)
        return RiskReason(self.code, one.place, other.place, at)
