"""Administration of key-encryption keys: wrap the root secret under a new one as well, and later under that one alone.

Encrypted data is not touched, and running nodes do not notice: each holds the root secret in memory since its start.
"""

from __future__ import annotations

from collections.abc import Sequence

from doorward.core.model.actor import Actor
from doorward.core.model.wrapped_key import WrappedKey
from doorward.core.ports.key_wrapper import KeyProblem, KeyWrapper
from doorward.features.admin.commit import AuditedAdmin
from doorward.features.admin.error import refused
from doorward.features.admin.operation import operation
from doorward.features.signing_keys.root import RootSecret
from doorward.storage.sql.store import Write


class WrappingAdmin(AuditedAdmin, frozen=True, kw_only=True):
    """`wrapper` comes from the settings; `root` is the secret it unwrapped. Changes are audited."""

    wrapper: KeyWrapper
    root: RootSecret

    @operation("keys.read")
    async def get_in_use(self, actor: Actor) -> str:
        """The key-encryption key with which this process unwrapped the root secret."""
        return self.root.opened_by.kek

    @operation("keys.read")
    async def find(self, actor: Actor) -> Sequence[WrappedKey]:
        """Every key-encryption key that can unwrap the root secret, oldest first."""
        return await self._held()

    @operation("keys.write")
    async def rewrap(self, actor: Actor, new: KeyWrapper | None, *, drop_old: bool) -> Sequence[WrappedKey]:
        """Wrap the root secret under `new`. Without `new`, wrap it anew under the key in use, or, with `drop_old`, not at all.
        `drop_old` then removes all other wrappings in the same commit. Returns the remaining wrappings, oldest first. Raises
        `AdminError`.

        The new wrapping is unwrapped before it is stored, so that no unusable one is kept.
        """
        before = await self._held()
        writes: list[Write] = []
        kept = self.root.opened_by.kek
        if new is not None or not drop_old:
            wrapping = await self._wrapped(new or self.wrapper)
            kept = wrapping.kek
            writes = [self.store.wrapped_keys.put(wrapping), self._audit(actor, "root_secret.wrapped", kept)]
        elif all(wrapping.kek != kept for wrapping in before):
            raise refused("wrapping_dropped", kek=kept)
        if drop_old:
            for wrapping in before:
                if wrapping.kek != kept:
                    writes.append(self.store.wrapped_keys.remove(wrapping))
                    writes.append(self._audit(actor, "root_secret.wrapping_dropped", wrapping.kek))
        if not await self.store.commit(*writes):
            raise refused("wrappings_changed")
        return await self._held()

    async def _held(self) -> Sequence[WrappedKey]:
        found = await self.store.wrapped_keys.root()
        return found[1] if found is not None else ()

    async def _wrapped(self, wrapper: KeyWrapper) -> WrappedKey:
        root_id, secret = self.root.opened_by.id, self.root.secret
        try:
            wrapped = await wrapper.wrap(root_id, secret)
            opens = await wrapper.unwrap(root_id, wrapped) == secret
        except KeyProblem as problem:
            raise refused("wrapping_failed", reason=problem.error, remedy=problem.fix) from None
        if not opens:
            raise refused("wrapping_irreversible", kek=wrapper.id)
        return WrappedKey(root_id, wrapper.id, wrapped, self.clock.now())

    def _audit(self, actor: Actor, kind: str, kek: str) -> Write:
        said = {"root_id": self.root.opened_by.id, "kek": kek}
        return self._event(actor, kind, self.clock.now(), **said)
