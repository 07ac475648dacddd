"""Dispatcher of a sign-in: what comes next, or what comes out. One for pages and JSON endpoint alike, so that no way in can skip a factor
or consent (R85)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from msgspec import structs

from doorward.core.errors import Refusal
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.levels import LEVELS
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.factor import Factor
from doorward.features.authn.flow.finish import Finish
from doorward.features.authn.flow.goal import SignInGoals
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.outcomes import AskConsent, Denied, FactorRequired, Next, Stale
from doorward.features.authn.flow.rules.assurance import counting
from doorward.storage.sql.store import Store, Write


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Asks the rules in the order of the flow: factors, the app's expectations, consent; then finishes."""

    store: Store
    factors: OfferedFactors
    goals: SignInGoals
    finish: Finish

    async def next(
        self,
        sign_in: SignIn,
        *,
        session: Session | None,
        caller: Caller,
        now: int,
        first: Sequence[Write] = (),
    ) -> Next:
        """`session` is the live one of this browser (None for the JSON endpoint); `now` in seconds.

        `first` are writes that the sign-in rests on: they are committed with its end, and only then (`Finished`)."""
        checked = await self._without_void_proofs(sign_in, session)
        if checked is None:
            return Stale(sign_in)
        sign_in = checked
        request = sign_in.request
        account = await self._account(sign_in)
        if account is None:
            return self._require(sign_in, self.factors.first)
        rows = await self.store.accounts.factors(account.id)
        proofs = self.factors.standing(sign_in.proofs, account, rows)
        if proofs != sign_in.proofs:
            # taken out for good, so that the pages see the same and ask for it again
            kept = structs.replace(sign_in, proofs=proofs)
            if not await self.store.commit(self.store.sign_ins.replace(sign_in, kept)):
                return Stale(sign_in)
            sign_in = kept
        acceptable = self.factors.next(sign_in, account, rows, wanted_acr=wanted_acr(request))
        if acceptable:
            return self._require(sign_in, acceptable)
        achieved = self.factors.achieved(counting(proofs, sign_in.fresh_after))
        permitted = await self.goals.permit(sign_in, account, achieved)
        if isinstance(permitted, AskConsent | Denied):
            return permitted
        return await self.finish.commit(
            sign_in,
            account=account,
            achieved=achieved,
            permitted=permitted,
            old=session,
            caller=caller,
            now=now,
            first=first,
        )

    def deny(self, sign_in: SignIn, refusal: Refusal) -> Denied:
        """The refusal on its way to the app (OAuth 2.1 §4.1.2.1), if there still is an app that may be sent somebody."""
        return self.goals.deny(sign_in, refusal)

    async def acceptable(self, sign_in: SignIn) -> tuple[Account | None, tuple[Factor, ...]]:
        """Whose sign-in it is, and what may be shown next in it, for its pages; what no longer stands is passed over, and nothing is
        written."""
        account = await self._account(sign_in)
        if account is None:
            return None, self.factors.first
        rows = await self.store.accounts.factors(account.id)
        standing = structs.replace(sign_in, proofs=self.factors.standing(sign_in.proofs, account, rows))
        return account, self.factors.next(standing, account, rows, wanted_acr=wanted_acr(sign_in.request))

    def _require(self, sign_in: SignIn, acceptable: tuple[Factor, ...]) -> FactorRequired | Denied:
        if sign_in.request is not None and "none" in sign_in.request.prompt:
            return self.deny(sign_in, Refusal("login_required", "The person has to sign in."))
        return FactorRequired(sign_in, acceptable)

    async def _without_void_proofs(self, sign_in: SignIn, session: Session | None) -> SignIn | None:
        """The sign-in less what a session vouched for that is over by now (signed out in another tab); None: a lost race."""
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
    """The first level among the asked ones that we know (acr_values is in order of preference)."""
    if request is None:
        return None
    return next((value for value in request.acr_values if value in LEVELS), None)
