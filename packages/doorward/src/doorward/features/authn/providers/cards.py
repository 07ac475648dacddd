"""Connected accounts on the page of sign-in methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from doorward.core.abstract_struct import AbstractStruct
from doorward.core.model.account import Account
from doorward.features.authn.flow.shown import CardOwner, MethodCards
from doorward.features.authn.providers.connecting import ConnectIdentities
from doorward.features.authn.providers.marks import mark_of
from doorward.features.authn.providers.provider import IdentityProvider
from doorward.features.authn.providers.rules.identity import counting_marks
from doorward.features.authn.providers.views import ConnectedCard, ConnectedLine
from doorward.web.pages.views.sign_in import ProviderButton


@final
class ProviderCards(AbstractStruct, MethodCards, frozen=True, kw_only=True):
    """What a person sees of theirs."""

    identities: ConnectIdentities
    providers: Mapping[str, IdentityProvider]

    async def card(self, owner: CardOwner) -> ConnectedCard | None:
        """The card of a signed-in person."""
        return await self.shown(owner.account)

    async def shown(self, account: Account) -> ConnectedCard:
        """A line for each connected account, oldest first, and a button for each provider."""
        offered = {mark: one for one in self.providers.values() for mark in counting_marks(one.policy)}
        found = [
            (one, row, offered.get(row.code_hash or b""))
            for one, row in await self.identities.with_rows(account)
        ]
        lines = tuple(
            ConnectedLine(
                id=one.factor_id,
                email=one.email,
                added_at=row.created_at,
                label=provider.policy.label if provider is not None else None,
                mark=mark_of(provider.service) if provider is not None else None,
                last_used_at=one.last_used_at,
            )
            for one, row, provider in found
        )
        buttons = tuple(
            ProviderButton(name, one.policy.label, mark_of(one.service))
            for name, one in self.providers.items()
        )
        return ConnectedCard(connected=lines, offered=buttons)
