"""Signed status list of some grants (Token Status List, R57)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from doorward.core.model.policy import TokenPolicy
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.keys import TokenSigner
from doorward.core.refresh_life import refresh_life
from doorward.features.revocations.rules import status_list as rule
from doorward.storage.sql.store import Store

_MOST_KEPT: Final = 64


@dataclass(slots=True, kw_only=True)
class StatusListPublisher:
    """Rebuilds a list after any revocation, so that served lists are never behind the database."""

    store: Store
    config: ConfigSource
    signer: TokenSigner
    clock: Clock
    policy: TokenPolicy
    issuer: str
    _made: dict[int, tuple[tuple[int, int], int, str]] = field(
        default_factory=dict[int, tuple[tuple[int, int], int, str]]
    )

    async def make(self, number: int) -> str | None:
        """The list's token, or None when no grant that may still be live can be in a list of this number."""
        now = self.clock.now()
        if not self.policy.status_list or not rule.may_exist(number, longest=self._longest(), now=now):
            return None
        # the configuration too: a list signed by a revoked key is worthless
        newest = (await self.store.revocations.newest(), self.config.current().version)
        made = self._made.get(number)
        if made is not None and made[0] == newest and now < made[1]:
            return made[2]
        ttl = self.policy.status_list_ttl
        ended = await self.store.grants.status_indexes(number, now)
        token = self.signer.sign(
            rule.claims(ended, uri=f"{self.issuer}/status/{number}", now=now, ttl=ttl), typ=rule.TYP
        )
        if len(self._made) >= _MOST_KEPT:
            del self._made[next(iter(self._made))]
        self._made[number] = (newest, now + max(1, ttl // 2), token)
        return token

    def _longest(self) -> int:
        clients = self.config.current().clients.values()
        return max(self.policy.refresh_ttl, *(refresh_life(client, self.policy) for client in clients), 0)
