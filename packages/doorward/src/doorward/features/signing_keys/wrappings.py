"""Changing the key-encryption key: the root secret is wrapped under the new one too, and later under that one alone.

Nothing that is encrypted is touched, and no running node notices: each holds the root secret in memory since its start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from doorward.core.model.wrapped_key import WrappedKey
from doorward.core.ports.clock import Clock
from doorward.core.ports.key_wrapper import KeyProblem, KeyWrapper
from doorward.core.ports.random import Chance
from doorward.core.ports.store import Store, Write
from doorward.features.admin.commit import audit_write
from doorward.features.admin.refused import ManageRefused
from doorward.features.signing_keys.root import RootSecret


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageWrappings:
    """`wrapper` is that of the settings, and `root` what it opened. Changes are audited."""

    store: Store
    wrapper: KeyWrapper
    root: RootSecret
    chance: Chance
    clock: Clock

    @property
    def in_use(self) -> str:
        """The key-encryption key by which this process came to the root secret."""
        return self.root.opened_by.kek

    async def listed(self) -> Sequence[WrappedKey]:
        """Every key-encryption key that opens the root secret, oldest first."""
        found = await self.store.wrapped_keys.root()
        return found[1] if found is not None else ()

    async def rewrap(self, new: KeyWrapper | None, *, drop_old: bool) -> Sequence[WrappedKey]:
        """Wrap under `new`; without it under the key in use anew, or, with `drop_old`, not at all. `drop_old` then removes all other
        wrappings in the same commit. Answers what is left, oldest first. Raises `ManageRefused`.

        The new wrapping is opened again before it is stored: nobody shall be left with one that does not open.
        """
        before = await self.listed()
        writes: list[Write] = []
        kept = self.in_use
        if new is not None or not drop_old:
            wrapping = await self._wrapped(new or self.wrapper)
            kept = wrapping.kek
            writes = [self.store.wrapped_keys.put(wrapping), self._audit("root_secret.wrapped", kept)]
        elif all(wrapping.kek != kept for wrapping in before):
            raise ManageRefused(
                f"{kept} does not open the root secret any more: somebody dropped it.",
                "doorward keys wrappings",
            )
        if drop_old:
            for wrapping in before:
                if wrapping.kek != kept:
                    writes.append(self.store.wrapped_keys.remove(wrapping))
                    writes.append(self._audit("root_secret.wrapping_dropped", wrapping.kek))
        if not await self.store.commit(*writes):
            raise ManageRefused(
                "The wrappings were changed by somebody else at the same moment.", "doorward keys wrappings"
            )
        return await self.listed()

    async def _wrapped(self, wrapper: KeyWrapper) -> WrappedKey:
        root_id, secret = self.root.opened_by.id, self.root.secret
        try:
            wrapped = await wrapper.wrap(root_id, secret)
            opens = await wrapper.unwrap(root_id, wrapped) == secret
        except KeyProblem as problem:
            raise ManageRefused(problem.error, problem.fix) from None
        if not opens:
            raise ManageRefused(f"{wrapper.id} does not give back what it wrapped.", "Nothing was changed.")
        return WrappedKey(root_id, wrapper.id, wrapped, self.clock.now())

    def _audit(self, kind: str, kek: str) -> Write:
        return audit_write(
            self.store,
            self.chance,
            kind,
            self.clock.now(),
            detail={"root_id": self.root.opened_by.id, "kek": kek},
        )
