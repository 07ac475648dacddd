"""Making, turning and revoking signing keys: by time in the background, or by command; two at once make one change (line 52)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import structs

from doorward.core.model.client import SigningAlgorithm
from doorward.core.model.config_snapshot import KeyState, SigningKey
from doorward.core.model.policy import TokenPolicy
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.core.ports.keys import KeyMaker
from doorward.core.ports.random import Chance
from doorward.core.ports.store import Store, Write
from doorward.features.admin.commit import audit_write
from doorward.features.admin.lookup import find_key
from doorward.features.admin.refused import ManageRefused
from doorward.features.sessions.rules.ending import MARGIN, longest_life
from doorward.features.signing_keys import rules as key_life


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageKeys:
    """`publish_ahead` and `rotate_after` in seconds, as of the settings. Changes are audited."""

    store: Store
    catalog: CatalogSource
    maker: KeyMaker
    chance: Chance
    clock: Clock
    tokens: TokenPolicy
    publish_ahead: int
    rotate_after: int

    async def tend(self) -> int:
        """Do what is due, and say how many changes that were. Call it before the first request and every minute or so: at the
        first start it makes a current and a next ES256 key, later also those of other algorithms that an app or an API needs."""
        made = 0
        for _ in range(4):
            catalog = await self.catalog.refresh()
            life = longest_life(self.tokens, catalog.clients.values())
            changes = key_life.due(
                catalog.keys,
                key_life.algorithms(catalog.clients.values(), catalog.apis.values()),
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
                made += await self.store.commit(*await self._writes(change, life))
        return made

    async def ready(self, needed: Iterable[SigningAlgorithm]) -> bool:
        """Make a current key for each algorithm that has none, and say whether any was made: before an app or an API that needs
        it is written, so that nobody is answered who cannot be given a token. What follows it is made by `tend`."""
        catalog = await self.catalog.refresh()
        made = 0
        for alg in key_life.missing(catalog.keys, needed):
            following = key_life.first(catalog.keys, alg, "next")
            change = key_life.Start(alg) if following is None else key_life.Turn(following, None)
            life = longest_life(self.tokens, catalog.clients.values())
            made += await self.store.commit(*await self._writes(change, life))
        return bool(made)

    async def listed(self) -> Sequence[SigningKey]:
        """All keys, oldest first."""
        return (await self.catalog.refresh()).keys

    async def rotate(self, alg: SigningAlgorithm = "ES256", *, force: bool = False) -> SigningKey:
        """The next key becomes current now, and a new next one is published. Answers the new current key.

        Raises `ManageRefused` when the next key is younger than `publish_ahead`: an API that has not fetched it yet would
        refuse tokens for a moment. `force` turns all the same.
        """
        await self.tend()
        catalog = await self.catalog.refresh()
        keys = catalog.keys
        following, current = key_life.first(keys, alg, "next"), key_life.first(keys, alg, "current")
        if following is None:
            raise ManageRefused(
                f"No app and no API uses {alg}, so there is no key to rotate.",
                "Keys are made when one is set to an algorithm: doorward app set APP --id-token-signed-alg …",
            )
        age = self.clock.now() - following.created_at
        if age < self.publish_ahead and not force:
            since = datetime.fromtimestamp(following.created_at, UTC)
            known = datetime.fromtimestamp(following.created_at + self.publish_ahead, UTC)
            raise ManageRefused(
                f"Not every API may know the next key yet: it was published at {since:%Y-%m-%d %H:%M} UTC.",
                f"Wait until {known:%Y-%m-%d %H:%M} UTC, or turn at once with --force (verifiers fetch an unknown key when"
                " they meet it).",
            )
        life = longest_life(self.tokens, catalog.clients.values())
        if not await self.store.commit(*await self._writes(key_life.Turn(following, current), life)):
            raise ManageRefused(
                "The keys were rotated by somebody else at the same moment.", "doorward keys list"
            )
        await self.tend()
        await self.catalog.settle()
        return structs.replace(following, state="current", activated_at=self.clock.now())

    async def revocable(self, given: str) -> SigningKey:
        """The key, if it can still be revoked: for whoever asks first. Raises `ManageRefused`."""
        key = find_key(await self.catalog.refresh(), given)
        if key.state in {"revoked", "retired"}:
            raise ManageRefused(f"The key {key.id} is {key.state} already.", "doorward keys list")
        return key

    async def revoke(self, given: str) -> SigningKey:
        """A key that may be in wrong hands: no token that it signed is accepted any more, and it leaves the published set. A
        current key is followed by the next one at once. Raises `ManageRefused`."""
        key = await self.revocable(given)
        now = self.clock.now()
        if not await self.store.commit(
            self.store.registry.move_key(key.id, key.state, "revoked", now),
            self._audit("key.revoked", now, key, was=key.state),
        ):
            raise ManageRefused("The key was changed by somebody else at the same moment.", "Try again.")
        await self.tend()
        await self.catalog.settle()
        return structs.replace(key, state="revoked", retired_at=key.retired_at or now)

    async def _writes(self, change: key_life.Change, life: int) -> list[Write]:
        now = self.clock.now()
        registry = self.store.registry
        match change:
            case key_life.Start(alg):
                key = structs.replace(await self._make(alg, now, "current"), token_life=life)
                return [registry.insert_key(key), self._audit("key.created", now, key, state="current")]
            case key_life.Publish(alg):
                key = await self._make(alg, now, "next")
                return [registry.insert_key(key), self._audit("key.created", now, key, state="next")]
            case key_life.Replace(following):
                key = await self._make(following.alg, now, "next")
                return [
                    registry.move_key(following.id, "next", "retired", now),
                    registry.insert_key(key),
                    self._audit("key.created", now, key, state="next", instead_of=following.id),
                ]
            case key_life.Turn(following, current):
                writes: list[Write] = []
                if current is not None:
                    writes.append(registry.move_key(current.id, "current", "previous", now))
                writes.append(registry.move_key(following.id, "next", "current", now))
                writes.append(registry.lengthen_key(following.id, life))
                writes.append(
                    self._audit("key.rotated", now, following, before=current.id if current else "")
                )
                return writes
            case key_life.Lengthen(key):
                return [registry.lengthen_key(key.id, life)]
            case key_life.Retire(key):
                return [
                    registry.move_key(key.id, "previous", "retired", now),
                    self._audit("key.rotated", now, key, state="retired"),
                ]

    async def _make(self, alg: SigningAlgorithm, now: int, state: KeyState) -> SigningKey:
        # an RSA key takes up to a second to find: not on the loop
        key = await asyncio.to_thread(self.maker.make, self.chance.new_id("key"), alg, now)
        return structs.replace(key, state=state, activated_at=now if state == "current" else None)

    def _audit(self, kind: str, now: int, key: SigningKey, **detail: str) -> Write:
        return audit_write(
            self.store, self.chance, kind, now, detail={"key_id": key.id, "alg": key.alg, **detail}
        )
