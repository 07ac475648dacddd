"""Administration of signing keys: list, rotate and revoke them by hand. What is due by time, the server does (`signing_keys/rotation.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from doorward.core.model.actor import Actor
from doorward.core.model.client import SigningAlgorithm
from doorward.core.model.config_snapshot import SigningKey
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.features.admin.error import refused
from doorward.features.admin.lookup import find_key
from doorward.features.admin.operation import operation
from doorward.features.signing_keys import rules as key_life
from doorward.features.signing_keys.rotation import KeyRotation


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAdmin:
    """Keys are named by id. Every method raises `AdminError` when it cannot be done, and every change is audited."""

    catalog: CatalogSource
    clock: Clock
    rotation: KeyRotation

    @operation("keys.read")
    async def find(self, actor: Actor) -> Sequence[SigningKey]:
        """All keys, oldest first."""
        return (await self.catalog.refresh()).keys

    @operation("keys.read")
    async def get_revocable(self, actor: Actor, key: str) -> SigningKey:
        """The key, if it can still be revoked: for whoever asks first."""
        return await self._revocable(key)

    @operation("keys.write")
    async def rotate(
        self, actor: Actor, alg: SigningAlgorithm = "ES256", *, force: bool = False
    ) -> SigningKey:
        """The next key becomes current now, and a new next one is published. Answers the new current key.

        Refused when the next key is younger than `publish_ahead`: an API that has not fetched it yet would refuse tokens for a moment.
        `force` turns all the same.
        """
        await self.rotation.maintain(actor=actor)
        keys = (await self.catalog.refresh()).keys
        following, current = key_life.first(keys, alg, "next"), key_life.first(keys, alg, "current")
        if following is None:
            raise refused("key_unused", alg=alg)
        known_at = following.created_at + self.rotation.publish_ahead
        if self.clock.now() < known_at and not force:
            raise refused("key_too_young", published_at=following.created_at, known_at=known_at)
        if not await self.rotation.turn(following, current, actor=actor):
            raise refused("keys_changed")
        return structs.replace(following, state="current", activated_at=self.clock.now())

    @operation("keys.write")
    async def revoke(self, actor: Actor, key: str) -> SigningKey:
        """A key that may be in wrong hands: no token that it signed is accepted any more, and it leaves the published set. A
        current key is followed by the next one at once."""
        found = await self._revocable(key)
        now = self.clock.now()
        if not await self.rotation.revoke(found, now=now, actor=actor):
            raise refused("keys_changed")
        return structs.replace(found, state="revoked", retired_at=found.retired_at or now)

    async def _revocable(self, given: str) -> SigningKey:
        key = find_key(await self.catalog.refresh(), given)
        if key.state in {"revoked", "retired"}:
            raise refused("key_ended", key=key.id, state=key.state)
        return key
