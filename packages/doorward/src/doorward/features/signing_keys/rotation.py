"""Rotation of the signing keys: by time in the background, or by an operator; two concurrent rotations make one change (R52)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from doorward.core.model.actor import SERVER, Actor
from doorward.core.model.client import SigningAlgorithm
from doorward.core.model.config_snapshot import KeyState, StoredSigningKey
from doorward.core.model.policy import TokenPolicy
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.keys import KeyMaker
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.operator import operator_event
from doorward.features.sessions.rules.revocation import MARGIN, longest_life
from doorward.features.signing_keys import rules as key_life
from doorward.storage.sql.store import Store, Write


class KeyRotation(Struct, frozen=True, kw_only=True):
    """`publish_ahead` and `rotate_after` in seconds, as in the settings. Changes are audited under the actor's name. `always`: algorithms
    for which there are keys although no app or API of the configuration needs them."""

    store: Store
    config: ConfigSource
    maker: KeyMaker
    random: SecureRandom
    clock: Clock
    tokens: TokenPolicy
    publish_ahead: int
    rotate_after: int
    always: tuple[SigningAlgorithm, ...] = ()

    async def maintain(self, *, actor: Actor = SERVER) -> int:
        """Make all due changes, and return their number. Call it before the first request and about every minute: at the first start it
        makes a current and a next ES256 key, later also those of other algorithms that an app or an API needs."""
        made = 0
        for _ in range(4):
            config = await self.config.refresh()
            life = longest_life(self.tokens, config.clients.values())
            needed = key_life.algorithms(
                config.clients.values(), config.apis.values(), events=bool(config.event_kinds)
            )
            changes = key_life.due(
                config.keys,
                tuple(dict.fromkeys((*needed, *self.always))),
                now=self.clock.now(),
                publish_ahead=self.publish_ahead,
                rotate_after=self.rotate_after,
                access_life=life,
                id_life=self.tokens.id_ttl,
                margin=MARGIN,
            )
            if not changes:
                break
            for change in changes:
                made += await self.store.commit(*await self._writes(change, life, actor))
        return made

    async def ensure(self, needed: Iterable[SigningAlgorithm], *, actor: Actor) -> bool:
        """Make a current key for each algorithm without one, and return whether any was made. Called before an app or an API that needs
        it is written, so that every registered app can get a token. `maintain` makes the next keys."""
        config = await self.config.refresh()
        made = 0
        for alg in key_life.missing(config.keys, needed):
            following = key_life.first(config.keys, alg, "next")
            change = key_life.Start(alg) if following is None else key_life.Promote(following, None)
            life = longest_life(self.tokens, config.clients.values())
            made += await self.store.commit(*await self._writes(change, life, actor))
        return bool(made)

    async def turn(
        self, following: StoredSigningKey, current: StoredSigningKey | None, *, actor: Actor
    ) -> bool:
        """Sign with `following` from now on, and publish the key after it; False when a concurrent rotation was first."""
        life = longest_life(self.tokens, (await self.config.refresh()).clients.values())
        writes = await self._writes(key_life.Promote(following, current), life, actor)
        return await self._settled(writes, actor)

    async def revoke(self, key: StoredSigningKey, *, now: int, actor: Actor) -> bool:
        """Remove a key at once, and replace a current one by the next; False when its state has changed meanwhile."""
        moved = self.store.registry.move_key(key.id, key.state, "revoked", now)
        return await self._settled([moved, self._audit("key.revoked", now, key, actor, was=key.state)], actor)

    async def _settled(self, writes: Sequence[Write], actor: Actor) -> bool:
        """Commit, make the changes that are due then, and wait until every process knows; False when the commit lost."""
        if not await self.store.commit(*writes):
            return False
        await self.maintain(actor=actor)
        await self.config.settle()
        return True

    async def _writes(self, change: key_life.Change, life: int, actor: Actor) -> list[Write]:
        now = self.clock.now()
        registry = self.store.registry
        match change:
            case key_life.Start(alg):
                key = structs.replace(await self._make(alg, now, "current"), token_life=life)
                return [
                    registry.insert_key(key),
                    self._audit("key.created", now, key, actor, state="current"),
                ]
            case key_life.Publish(alg):
                key = await self._make(alg, now, "next")
                return [registry.insert_key(key), self._audit("key.created", now, key, actor, state="next")]
            case key_life.Replace(following):
                key = await self._make(following.alg, now, "next")
                return [
                    registry.move_key(following.id, "next", "retired", now),
                    registry.insert_key(key),
                    self._audit("key.created", now, key, actor, state="next", instead_of=following.id),
                ]
            case key_life.Promote(following, current):
                writes: list[Write] = []
                if current is not None:
                    writes.append(registry.move_key(current.id, "current", "previous", now))
                writes.append(registry.move_key(following.id, "next", "current", now))
                writes.append(registry.lengthen_key(following.id, life))
                writes.append(
                    self._audit("key.rotated", now, following, actor, before=current.id if current else "")
                )
                return writes
            case key_life.Lengthen(key):
                return [registry.lengthen_key(key.id, life)]
            case key_life.Retire(key):
                return [
                    registry.move_key(key.id, "previous", "retired", now),
                    self._audit("key.rotated", now, key, actor, state="retired"),
                ]

    async def _make(self, alg: SigningAlgorithm, now: int, state: KeyState) -> StoredSigningKey:
        # finding an RSA key takes up to a second, so it runs off the event loop
        key = await asyncio.to_thread(self.maker.make, self.random.new_id("key"), alg, now)
        return structs.replace(key, state=state, activated_at=now if state == "current" else None)

    def _audit(self, kind: str, now: int, key: StoredSigningKey, actor: Actor, **detail: str) -> Write:
        said = {"key_id": key.id, "alg": key.alg, **detail}
        return operator_event(self.store, self.random, actor=actor, kind=kind, now=now, **said)
