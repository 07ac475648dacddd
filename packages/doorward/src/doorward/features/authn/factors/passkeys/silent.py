"""Silent passkeys: after a sign-in by password, the password manager may keep a passkey too, without a question (WebAuthn Level 3
§5.1.3, conditional mediation)."""

from __future__ import annotations

from typing import Final, final

from msgspec import json

from doorward.core.abstract_struct import AbstractStruct
from doorward.core.model.account import Account
from doorward.core.model.policy import SecondFactorPolicy
from doorward.core.model.session import Session
from doorward.features.authn.factors.passkeys.owning import OwnPasskeys
from doorward.features.authn.factors.passkeys.views import SilentPasskey
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.authn.flow.shown import ProfileOffers

SOON: Final = 300
"""Seconds after the sign-in. A browser allows it only shortly after it has filled in a password."""


@final
class OfferSilently(AbstractStruct, ProfileOffers, frozen=True, kw_only=True):
    """Whether the page that follows a sign-in asks the browser for a silent passkey."""

    passkeys: OwnPasskeys
    policy: SecondFactorPolicy
    gate: NewFactors

    async def offer(
        self, account: Account, session: Session, *, browser_hash: bytes, now: int
    ) -> SilentPasskey | None:
        """The browser's call. None: the person did not just type a password, or has a passkey already."""
        if "passkey" not in self.policy.allowed:
            return None
        if now - session.auth_time > SOON or all(one.kind != "password" for one in session.proofs):
            return None
        if await self.passkeys.of(account) or not await self.gate.open():
            return None
        options = await self.passkeys.options(
            account, binding=session.id, browser_hash=browser_hash, now=now, silently=True
        )
        return SilentPasskey(options=json.encode(options).decode())
