"""Every step of a sign-in returns here: what comes next, or what comes out? One dispatcher for pages and JSON endpoint alike,
so that no way in can skip a factor or consent (line 85)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from doorward.core.errors import Refusal
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.levels import LEVELS, at_least
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.core.ports.store import Store, Write
from doorward.features.authn.flow.finish import Asked, Finish
from doorward.features.authn.flow.outcomes import Ask, AskConsent, Denied, Next, Stale
from doorward.features.authn.flow.rules.journey import achieved, next_step
from doorward.features.authn.flow.rules.standing import standing
from doorward.features.oauth.authorize.rules.response import failure
from doorward.features.oauth.clients.rules.entitle import entitle
from doorward.features.oauth.clients.rules.redirect_uri import matches
from doorward.features.oauth.consent import rules as consent_rule
from doorward.features.oauth.tokens.rules.person import scopes_behind


@dataclass(frozen=True, slots=True)
class Advance:
    """Asks the rules in the order of the flow: factors, the app's expectations, consent; then finishes."""

    store: Store
    catalog: CatalogSource
    finish: Finish
    tokens: TokenPolicy
    issuer: str

    async def __call__(
        self,
        sign_in: SignIn,
        *,
        session: Session | None,
        devices: tuple[bytes, ...],
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
        factors = await self.store.accounts.factors(account.id) if account else ()
        proofs = standing(sign_in.proofs, account, factors) if account else ()
        if account is not None and proofs != sign_in.proofs:
            # taken out for good, so that the pages see the same and ask for it again
            kept = structs.replace(sign_in, proofs=proofs)
            if not await self.store.commit(self.store.sign_ins.replace(sign_in, kept)):
                return Stale(sign_in)
            sign_in = kept
        step = next_step(
            proofs=proofs,
            enrolled=frozenset(factor.kind for factor in factors),
            wanted_acr=_wanted(request),
            fresh_after=sign_in.fresh_after,
        )
        if step is not None or account is None:
            if request is not None and "none" in request.prompt:
                return self.deny(sign_in, Refusal("login_required", "The person has to sign in."))
            return Ask(sign_in, step or "password")
        reached = achieved(proofs)
        asked = None
        if request is not None:
            verdict = await self._permit(sign_in, request, account, reached.acr)
            if not isinstance(verdict, Asked):
                return verdict
            asked = verdict
        return await self.finish(
            sign_in,
            account=account,
            reached=reached,
            asked=asked,
            old=session,
            devices=devices,
            caller=caller,
            now=now,
            first=first,
        )

    def deny(self, sign_in: SignIn, refusal: Refusal) -> Denied:
        """The refusal on its way to the app (OAuth 2.1 §4.1.2.1), if there still is an app that may be sent somebody."""
        request = sign_in.request
        client = self._app(request) if request is not None else None
        if request is None or client is None or not request.redirect_uri:
            return Denied(sign_in, refusal, None)
        response = failure(
            redirect_uri=request.redirect_uri,
            mode=request.response_mode,
            state=request.state,
            issuer=self.issuer,
            refusal=refusal,
            app_name=client.name,
        )
        return Denied(sign_in, refusal, response)

    async def _permit(
        self, sign_in: SignIn, request: AuthRequest, account: Account, acr: str
    ) -> Asked | Next:
        catalog = self.catalog.current()
        client = self._app(request)
        if client is None:
            return Denied(
                sign_in, Refusal("unauthorized_client", "This app is no longer registered here."), None
            )
        if request.hint_subject is not None and request.hint_subject != account.id:
            return self.deny(
                sign_in, Refusal("login_required", "Another person than the expected one signed in.")
            )
        if request.acr_essential and not any(at_least(acr, value) for value in request.acr_values):
            say = "The required strength of sign-in cannot be reached."
            return self.deny(sign_in, Refusal("unmet_authentication_requirements", say))
        granted = entitle(
            catalog=catalog,
            client=client,
            audience=request.audience,
            scopes=request.scopes,
            role_names=account.role_names,
        )
        if not sign_in.consented:
            earlier = await self.store.sessions.consent(account.id, client.id, request.audience)
            behind = scopes_behind(client, request.claims) if "openid" in granted.scopes else ()
            by_name = tuple(name for name in behind if name not in granted.scopes)
            if consent_rule.needed(client, request, (*granted.scopes, *by_name), earlier):
                if "none" in request.prompt:
                    return self.deny(sign_in, Refusal("consent_required", "The person has to agree first."))
                return AskConsent(sign_in, account, client, request, granted.scopes, by_name)
        return Asked(request, client, granted)

    async def _without_void_proofs(self, sign_in: SignIn, session: Session | None) -> SignIn | None:
        """The sign-in less what a session vouched for that is over by now (signed out in another tab); None: a lost race."""
        if sign_in.session_id is None or (session is not None and session.id == sign_in.session_id):
            return sign_in
        clean = structs.replace(sign_in, account_id=None, proofs=(), session_id=None, consented=False)
        return clean if await self.store.commit(self.store.sign_ins.replace(sign_in, clean)) else None

    def _app(self, request: AuthRequest) -> Client | None:
        """The app as it is registered now. A sign-in waits for up to half an hour: an app that was removed in the meantime, or
        an address that was taken from it, gets nothing any more (line 1)."""
        client = self.catalog.current().clients.get(request.client_id)
        if client is None or "authorization_code" not in client.grant_types:
            return None
        if request.redirect_uri and not matches(client.redirect_uris, request.redirect_uri):
            return None
        return client

    async def _account(self, sign_in: SignIn) -> Account | None:
        if sign_in.account_id is None:
            return None
        account = await self.store.accounts.get(sign_in.account_id)
        return account if account is not None and account.disabled_at is None else None


def _wanted(request: AuthRequest | None) -> str | None:
    """The first level among the asked ones that we know (acr_values is in order of preference)."""
    if request is None:
        return None
    return next((value for value in request.acr_values if value in LEVELS), None)
