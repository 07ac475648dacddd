"""Dispatcher of a sign-in: the next step, or the result. Pages and JSON endpoint share it, so that neither can skip a factor or consent
(R85)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.levels import LEVELS
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.factor import Factor
from doorward.features.authn.flow.finish import SignInCompletion
from doorward.features.authn.flow.goal import SignInGoals
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.outcomes import (
    AskConsent,
    AuthorizationError,
    Conflict,
    FactorRequired,
    Next,
)
from doorward.features.authn.flow.rules.assurance import counting
from doorward.storage.sql.store import Store, Write


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SignInFlow:
    """Applies the rules in the order of the flow: factors, expectations of the app, consent; then finishes."""

    store: Store
    factors: OfferedFactors
    goals: SignInGoals
    completion: SignInCompletion

    async def next(
        self,
        sign_in: SignIn,
        *,
        session: Session | None,
        caller: Caller,
        now: int,
        first: Sequence[Write] = (),
    ) -> Next:
        """`session` is this browser's live session (None for the JSON endpoint); `now` in seconds.

        `first` are writes on which the sign-in depends: they are committed only together with its end (`Finished`)."""
        checked = await self._without_void_proofs(sign_in, session)
        if checked is None:
            return Conflict(sign_in)
        sign_in = checked
        request = sign_in.request
        account = await self._account(sign_in)
        if account is None:
            return self._require(sign_in, self.factors.first)
        rows = await self.store.accounts.factors(account.id)
        proofs = self.factors.standing(sign_in.proofs, account, rows)
        if proofs != sign_in.proofs:
            # stored, so that the pages see the same proofs and ask for the missing one
            kept = structs.replace(sign_in, proofs=proofs)
            if not await self.store.commit(self.store.sign_ins.replace(sign_in, kept)):
                return Conflict(sign_in)
            sign_in = kept
        acceptable = self.factors.next(sign_in, account, rows, wanted_acr=wanted_acr(request))
        if acceptable:
            return self._require(sign_in, acceptable)
        achieved = self.factors.achieved(counting(proofs, sign_in.fresh_after))
        permitted = await self.goals.permit(sign_in, account, achieved)
        if isinstance(permitted, AskConsent | AuthorizationError):
            return permitted
        return await self.completion.commit(
            sign_in,
            account=account,
            achieved=achieved,
            permitted=permitted,
            old=session,
            caller=caller,
            now=now,
            first=first,
        )

    def deny(self, sign_in: SignIn, refusal: OAuthError) -> AuthorizationError:
        """The refusal as a response to the app (OAuth 2.1 §4.1.2.1), if there is an app to which the person may be redirected."""
        return self.goals.deny(sign_in, refusal)

    async def acceptable(self, sign_in: SignIn) -> tuple[Account | None, tuple[Factor, ...]]:
        """The account of the sign-in, and the factors that its pages may ask for next. Invalid proofs are ignored, and nothing is
        written."""
        account = await self._account(sign_in)
        if account is None:
            return None, self.factors.first
        rows = await self.store.accounts.factors(account.id)
        standing = structs.replace(sign_in, proofs=self.factors.standing(sign_in.proofs, account, rows))
        return account, self.factors.next(standing, account, rows, wanted_acr=wanted_acr(sign_in.request))

    def _require(
        self, sign_in: SignIn, acceptable: tuple[Factor, ...]
    ) -> FactorRequired | AuthorizationError:
        if sign_in.request is not None and "none" in sign_in.request.prompt:
            return self.deny(sign_in, OAuthError("login_required", "The person has to sign in."))
        return FactorRequired(sign_in, acceptable)

    async def _without_void_proofs(self, sign_in: SignIn, session: Session | None) -> SignIn | None:
        """The sign-in without proofs from a session that has ended (signed out in another tab). None: a concurrent change won."""
        if sign_in.session_id is None or (session is not None and session.id == sign_in.session_id):
            return sign_in
        clean = structs.replace(sign_in, account_id=None, proofs=(), session_id=None, consented=False)
        return clean if await self.store.commit(self.store.sign_ins.replace(sign_in, clean)) else None

    async def _account(self, sign_in: SignIn) -> Account | None:
        if sign_in.account_id is None:
            return None
        account = await self.store.accounts.get(sign_in.account_id)
        return account if account is not None and account.disabled_at is None else None


def wanted_acr(request: AuthRequest | None) -> str | None:
    """The first requested level that this server supports (acr_values is in order of preference)."""
    if request is None:
        return None
    return next((value for value in request.acr_values if value in LEVELS), None)
