"""Administration of signing keys: list, rotate and revoke by hand. Rotation by time is in `signing_keys/rotation.py`."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from doorward.core.model.actor import Actor
from doorward.core.model.client import SigningAlgorithm
from doorward.core.model.config_snapshot import StoredSigningKey
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.features.admin.error import refused
from doorward.features.admin.lookup import find_key
from doorward.features.admin.operation import operation
from doorward.features.signing_keys import rules as key_life
from doorward.features.signing_keys.rotation import KeyRotation


class KeyAdmin(Struct, frozen=True, kw_only=True):
    """Keys are named by id. Every method raises `AdminError` on failure, and every change is audited."""

    config: ConfigSource
    clock: Clock
    rotation: KeyRotation

    @operation("keys.read")
    async def find(self, actor: Actor) -> Sequence[StoredSigningKey]:
        """All keys, oldest first."""
        return (await self.config.refresh()).keys

    @operation("keys.read")
    async def get_revocable(self, actor: Actor, key: str) -> StoredSigningKey:
        """The key, if it can still be revoked: for a caller that asks for confirmation first."""
        return await self._revocable(key)

    @operation("keys.write")
    async def rotate(
        self, actor: Actor, alg: SigningAlgorithm = "ES256", *, force: bool = False
    ) -> StoredSigningKey:
        """Make the next key current now, and publish a new next key. Returns the new current key.

        Refused when the next key is younger than `publish_ahead`: an API that has not fetched it yet would refuse tokens for a
        moment. `force` overrides this.
        """
        await self.rotation.maintain(actor=actor)
        keys = (await self.config.refresh()).keys
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
    async def revoke(self, actor: Actor, key: str) -> StoredSigningKey:
        """Revoke a key that may be compromised: tokens signed by it are refused from now on, and it leaves the published set. The next
        key replaces a current one at once."""
        found = await self._revocable(key)
        now = self.clock.now()
        if not await self.rotation.revoke(found, now=now, actor=actor):
            raise refused("keys_changed")
        return structs.replace(found, state="revoked", retired_at=found.retired_at or now)

    async def _revocable(self, given: str) -> StoredSigningKey:
        key = find_key(await self.config.refresh(), given)
        if key.state in {"revoked", "retired"}:
            raise refused("key_ended", key=key.id, state=key.state)
        return key
