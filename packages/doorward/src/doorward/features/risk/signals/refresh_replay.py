"""Signal: a refresh token that was used twice."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.risk import Code, RiskFacts, RiskReason


class RefreshReplaySignal(Struct, frozen=True):
    """Somebody may have had the app's tokens, and so perhaps the device. The replay itself has ended its grant."""

    code: Code = "refresh_replay"

    def look(self, facts: RiskFacts, threshold: int) -> RiskReason | None:
        """The reason if that was in the last `threshold` hours, and nobody has signed in since."""
        at = facts.replayed_at
        if at is None or facts.at - at > threshold * 3600 or (facts.past and facts.past[0].at > at):
            return None
        return RiskReason(self.code, facts.where.place, before_at=at)
