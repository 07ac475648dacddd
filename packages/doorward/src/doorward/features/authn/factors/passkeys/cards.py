"""Passkeys on the page of sign-in methods, and what password managers are told about them there (Level 3 §5.1.10)."""

from __future__ import annotations

from typing import final

import msgspec

from doorward.core.abstract_struct import AbstractStruct
from doorward.features.authn.factors.passkeys.rules.proof import PASSKEY, SECURITY_KEY
from doorward.features.authn.factors.passkeys.rules.response import padless
from doorward.features.authn.factors.passkeys.views import PasskeyCard, PasskeyLine
from doorward.features.authn.flow.shown import CardOwner, MethodCards
from doorward.storage.sql.store import Store


@final
class PasskeyCards(AbstractStruct, MethodCards, frozen=True, kw_only=True):
    """What a person sees of theirs."""

    store: Store
    rp_id: str

    async def card(self, owner: CardOwner) -> PasskeyCard | None:
        """A line for each passkey, oldest first, and the signals: which of them still work here, and whose they are. None without any,
        where nobody can add one."""
        account = owner.account
        added = {row.id: row for row in owner.rows}
        passkeys = await self.store.passkeys.of_account(account.id)
        lines = tuple(
            PasskeyLine(
                id=one.factor_id,
                name=one.name,
                created_at=added[one.factor_id].created_at,
                last_used_at=one.last_used_at,
                backed_up=one.backed_up,
                copied=one.suspect_at is not None,
                second=(second := added[one.factor_id].kind == SECURITY_KEY.kind),
                switch=one.suspect_at is None and (one.user_verified or not second),
            )
            for one in passkeys
            if one.factor_id in added
        )
        whose = {"rpID": self.rp_id, "userID": padless(account.id.encode())}
        accepted = [padless(one.credential_id) for one in passkeys if one.suspect_at is None]
        signals = [
            {"signalName": "allAcceptedCredentials", **whose, "allAcceptedCredentialIDs": accepted},
            {
                "signalName": "currentUserDetails",
                **whose,
                "userName": account.shown_as,
                "userDisplayName": account.name or account.shown_as,
            },
        ]
        may_add = PASSKEY.kind in owner.allowed
        if not lines and not may_add:
            return None
        return PasskeyCard(passkeys=lines, signals=msgspec.json.encode(signals).decode(), may_add=may_add)
