"""Administration of passkeys: what a person has. They are removed with the other factors (`factors.py`)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.actor import Actor
from doorward.core.model.passkey import Passkey
from doorward.features.admin.lookup import find_account
from doorward.features.admin.operation import operation
from doorward.features.services import Services
from doorward.storage.sql.store import Store


class PasskeyAdmin(Struct, frozen=True, kw_only=True):
    """People are named by e-mail address or id. Every method raises `AdminError` on failure."""

    store: Store

    @operation("credentials.read")
    async def find(self, actor: Actor, who: str) -> tuple[Account, Sequence[tuple[Passkey, int]]]:
        """The account and its passkeys, oldest first, each with the time at which it was added (seconds)."""
        account = await find_account(self.store, who)
        added = {row.id: row.created_at for row in await self.store.accounts.factors(account.id)}
        passkeys = await self.store.passkeys.of_account(account.id)
        return account, [(one, added[one.factor_id]) for one in passkeys if one.factor_id in added]


def passkeys(services: Services) -> PasskeyAdmin:
    """The service for passkeys."""
    return PasskeyAdmin(store=services.store)
