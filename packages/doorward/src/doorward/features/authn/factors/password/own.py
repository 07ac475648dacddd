"""This server's own database as a source of passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from msgspec import Struct, field

from doorward.core.errors import HashingBusy, OAuthError
from doorward.core.model.account import Account
from doorward.core.model.secret import Secret
from doorward.core.ports.passwords import PasswordHasher
from doorward.features.authn.factors.password.rules import password as rule
from doorward.features.authn.factors.password.rules.proof import of_password
from doorward.features.authn.flow.password_source import PasswordAsked, ProvenPassword
from doorward.features.authn.flow.proving import DISABLED
from doorward.features.authn.flow.rules.routing import DomainRoutes
from doorward.storage.sql.store import Store
from doorward.web.pages.views.problems import Wrong
from doorward.web.pages.views.said import Said


@final
class OwnPasswords(Struct, frozen=True, kw_only=True):
    """Passwords by their hashes, with a decoy for people without one; outdated hashes are made anew."""

    store: Store
    hasher: PasswordHasher
    routes: DomainRoutes = field(default_factory=DomainRoutes)

    @property
    def problems(self) -> Mapping[str, Said]:
        """What is said of a disabled account."""
        return {DISABLED: Wrong.ACCOUNT_DISABLED}

    async def owner(self, who: str) -> str | None:
        """Nobody whom the caller does not know already: it looks for the account with this address itself."""
        del who
        return None

    async def check(self, asked: PasswordAsked) -> ProvenPassword | OAuthError | None:
        """Compare with the hash. Raises `HashingBusy`."""
        account, raw = asked.account, asked.password.reveal()
        typed = rule.prepare(raw)
        stored = account.password_hash if account is not None else None
        if account is not None and self.routes.only(account.email) is not None:
            # found by another name than the address of the domain: like a wrong password
            stored = None
        good = await self.hasher.verify(stored if typed else None, Secret(typed), typed=Secret(raw))
        if not good or account is None or stored is None:
            return None
        if account.disabled_at is not None:
            return OAuthError("access_denied", DISABLED, "disabled")
        if self.hasher.outdated(stored):
            await self._rehash(account, stored, typed)
        return ProvenPassword(account=account, proof=of_password(account, asked.now))

    async def _rehash(self, account: Account, stored: str, typed: str) -> None:
        # The sign-in succeeds in either case: when the pool is busy, the next sign-in makes the newer hash.
        try:
            fresh = await self.hasher.hash(Secret(typed))
        except HashingBusy:
            return
        await self.store.commit(self.store.accounts.rehash(account.id, stored, fresh))
