"""Watch over the networks from which each app's tokens are used; noted in memory, judged in the background."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct, field

from doorward.core.model.caller import Caller
from doorward.core.ports.clock import Clock
from doorward.core.ports.places import Places
from doorward.features.audit.service import AuditLog
from doorward.features.risk.rules import family
from doorward.features.risk.rules.where import whereabouts
from doorward.features.risk.settings import HOUR, RiskPolicy
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store

MOST: Final = 20_000
"""Grants that one process watches; the one noted longest ago is dropped."""
Uses = tuple[family.Use, ...]
LINES: Final = 20
"""Audit lines that one round of one process writes at most."""


@final
class FamilyWatch(Struct, kw_only=True):
    """`note` is on the path of tokens: it reads and writes nothing but a dictionary. Each process sees its own part of the requests."""

    store: Store
    clock: Clock
    places: Places
    policy: RiskPolicy
    audit_log: AuditLog
    revoker: Revoker
    _watched: dict[str, Uses] = field(default_factory=dict[str, Uses])
    _due: dict[str, None] = field(default_factory=dict[str, None])

    def note(self, grant_id: str, address: str, now: int) -> None:
        """The tokens of a grant were used from `address` at `now` (seconds)."""
        if self.policy.mode == "off" or not address:
            return
        uses = family.followed(self._watched.pop(grant_id, ()), address, now)
        if len(self._watched) >= MOST:
            del self._watched[next(iter(self._watched))]
        self._watched[grant_id] = uses
        if family.in_turn(uses):
            self._due[grant_id] = None

    async def judge(self) -> int:
        """Write what was found; returns for how many grants. Raises `StoreUnavailable`."""
        due, self._due = list(self._due)[:LINES], {}
        told = 0
        for grant_id in due:
            uses = self._watched.pop(grant_id, ())
            found = [whereabouts(address, self.places) for _, address in uses]
            if family.in_turn(uses) and family.two_networks(found) and await self._tell(grant_id, uses):
                told += 1
        return told

    async def _tell(self, grant_id: str, uses: Uses) -> bool:
        now = self.clock.now()
        grant = await self.store.grants.get(grant_id)
        if grant is None or grant.ended_at is not None:
            return False
        (_, one), (_, other) = uses[-2:]
        ends = self.policy.family_on_two_networks == "end" and self.policy.mode == "enforce"
        return await self.store.commit(
            # once an hour for each grant, over all processes
            self.store.replay_cache.claim("two_networks", grant_id, now + HOUR, now=now),
            self.audit_log.write(
                "refresh_token.two_networks",
                caller=Caller(other),
                now=now,
                account_id=grant.account_id,
                client_id=grant.client_id,
                grant_id=grant_id,
                ok=False,
                one=one,
                other=other,
            ),
            *(self.revoker.grant(grant, now=now, reason="revoked") if ends else ()),
        )
