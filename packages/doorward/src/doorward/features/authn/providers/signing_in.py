"""Sign-in by an account at a provider: the way there, the way back, and who the person is here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from msgspec import Struct, structs

from doorward.adapters.logs import logger
from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.provider import ExternalIdentity, UpstreamSession
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.core.ports.metrics import Metrics
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.proving import add_proof
from doorward.features.authn.providers.connecting import ConnectIdentities
from doorward.features.authn.providers.first_sign_in import FirstSignIn
from doorward.features.authn.providers.mapping import ProviderMapping
from doorward.features.authn.providers.outcomes import (
    AddressNeeded,
    AlreadyBack,
    IdentityConnected,
    NotSignedIn,
    Outcome,
)
from doorward.features.authn.providers.provider import (
    AccountRefused,
    IdentityProvider,
    ProviderUnavailable,
    SignInRefused,
)
from doorward.features.authn.providers.rules.asking import asked_of_provider, must_be_new
from doorward.features.authn.providers.rules.id_token import UpstreamClaims
from doorward.features.authn.providers.rules.identity import (
    kept_under,
    proof_of,
    proof_time,
    stated_email,
    two_factors,
)
from doorward.features.authn.providers.state import ProviderJourney, ProviderStates
from doorward.features.rate_limits.rules.attempts import Guess, Guessed, Wait
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.statements import Write
from doorward.storage.sql.store import Store

GUESSED: Final = Guessed("provider")
_log = logger("identity_provider")


@final
class ProviderSignIn(Struct, frozen=True, kw_only=True):
    """Adds the proof of an identity at a provider to a sign-in. Nothing that a provider says gives access to an account by its address."""

    store: Store
    providers: Mapping[str, IdentityProvider]
    states: ProviderStates
    identities: ConnectIdentities
    first: FirstSignIn
    mapping: ProviderMapping
    throttle: Throttle
    audit_log: AuditLog
    metrics: Metrics

    async def leave(
        self,
        name: str,
        sign_in: SignIn,
        *,
        browser_hash: bytes,
        anew: bool,
        locale: str,
        now: int,
        hint: str = "",
    ) -> str | NotSignedIn:
        """The address to go to. Nothing is stored. `anew`: the person is to sign in there again. `hint`: the address that they have typed."""
        provider = self.providers.get(name)
        if provider is None:
            return NotSignedIn("refused", sign_in.id)
        anew = anew or must_be_new(sign_in)
        state = self.states.made(name, browser_hash=browser_hash, now=now, sign_in=sign_in.id, anew=anew)
        asked = asked_of_provider(sign_in, provider.policy, anew=anew, hint=hint, locale=locale)
        return await self._address(provider, state, sign_in.id, asked)

    async def leave_to_connect(
        self, name: str, session: Session, *, browser_hash: bytes, locale: str, now: int
    ) -> str | NotSignedIn:
        """The same for a signed-in person, who comes back to the account pages."""
        provider = self.providers.get(name)
        if provider is None:
            return NotSignedIn("refused")
        state = self.states.made(name, browser_hash=browser_hash, now=now, session=session.id)
        asked = asked_of_provider(None, provider.policy, anew=False, locale=locale)
        return await self._address(provider, state, "", asked)

    async def come_back(
        self,
        name: str,
        query: Mapping[str, str],
        *,
        account: Account | None,
        session: Session | None,
        caller: Caller,
        now: int,
        stated_name: str = "",
    ) -> Outcome | None:
        """What became of it. None: this browser has not left for this provider lately. `account` and `session` are the browser's.
        `stated_name`: what a new account is called where the provider's claims have no name; nobody has signed it."""
        provider, state = self.providers[name], query.get("state", "")
        journey = self.states.read(state, name, browser_hash=caller.browser_hash, now=now)
        if journey is None:
            return None
        if not await self.states.take(journey, now):
            return AlreadyBack(journey.sign_in)
        guess = await self.throttle.guess(
            GUESSED, caller.browser_hash.hex(), account_id=None, caller=caller, now=now
        )
        if isinstance(guess, Wait):
            return NotSignedIn("throttled", journey.sign_in, guess.until)
        if query.get("error") is not None:
            return await self._answered_no(provider, query["error"], journey, guess, caller, now)
        try:
            claims = await provider.claims(
                code=query.get("code", ""),
                issuer=query.get("iss"),
                nonce=self.states.nonce(state),
                verifier=self.states.verifier(state),
                now=now,
            )
        except ProviderUnavailable as problem:
            _log.warning("identity_provider.failed", provider=name, reason=str(problem))
            await self._clear(guess)
            return NotSignedIn("unavailable", journey.sign_in)
        except AccountRefused as problem:
            await self._clear(guess)
            await self.store.commit(self._refusal(name, str(problem), caller, now))
            return NotSignedIn("not_allowed", journey.sign_in)
        except SignInRefused as problem:
            return await self._refused(name, str(problem), journey, guess, caller, now)
        await self._clear(guess)
        claims = structs.replace(claims, name=claims.name or stated_name or None)
        if journey.session:
            return await self._connect(provider, claims, journey, account, session, caller, now)
        return await self._sign_in(provider, claims, journey, caller, now)

    async def _connect(
        self,
        provider: IdentityProvider,
        claims: UpstreamClaims,
        journey: ProviderJourney,
        account: Account | None,
        session: Session | None,
        caller: Caller,
        now: int,
    ) -> Outcome:
        """The identity belongs to the person who left from the account pages, if they are still signed in, in that same session."""
        if account is None or session is None or session.id != journey.session:
            return NotSignedIn("over")
        made = await self.identities.connect(
            account,
            provider,
            issuer=claims.issuer,
            subject=claims.subject,
            email=stated_email(claims) or "",
            session_id=session.id,
            caller=caller,
            now=now,
        )
        return IdentityConnected(made) if isinstance(made, ExternalIdentity) else NotSignedIn(made)

    async def _sign_in(
        self,
        provider: IdentityProvider,
        claims: UpstreamClaims,
        journey: ProviderJourney,
        caller: Caller,
        now: int,
    ) -> Outcome:
        sign_in = await self.store.sign_ins.get(journey.sign_in)
        if sign_in is None or sign_in.browser_hash != caller.browser_hash:
            return NotSignedIn("over")
        policy = provider.policy
        at = proof_time(
            claims,
            policy,
            started=journey.started,
            anew=journey.anew,
            shown=sign_in.fresh_after is not None,
            now=now,
        )
        if at is None or (sign_in.fresh_after is not None and at < sign_in.fresh_after):
            return NotSignedIn("not_recent", sign_in.id)
        identity = await self.store.external_identities.by_subject(claims.issuer, claims.subject)
        first = False
        if identity is None:
            made = await self.first.begin(provider, claims, sign_in, caller, now)
            if isinstance(made, AddressNeeded):
                return await self.first.address_first(provider, claims, sign_in, at, None, caller, now)
            if not isinstance(made, ExternalIdentity):
                return made
            identity, first = made, True
        if not await self.mapping.apply(provider, claims, identity, first=first, caller=caller, now=now):
            return NotSignedIn("over", sign_in.id)
        account = await self.store.accounts.get(identity.account_id)
        if account is None or account.disabled_at is not None:
            return NotSignedIn("disabled", sign_in.id)
        rows = await self.store.accounts.factors(account.id)
        row = next((one for one in rows if one.id == identity.factor_id), None)
        if row is None:
            return NotSignedIn("over", sign_in.id)
        if account.email is None and await self.first.asks(provider):
            return await self.first.address_first(provider, claims, sign_in, at, identity, caller, now)
        counted = kept_under(claims.issuer, policy)
        proof = proof_of(row, twice=two_factors(claims, policy), at=at)
        proven = await add_proof(
            self.store,
            sign_in,
            account.id,
            proof,
            now,
            # fails if the connection was ended in this moment
            self.store.external_identities.used(identity.factor_id, now),
            # the section may count it under another issuer than when it was made, as after `tenants` was changed
            *((self.store.accounts.replace_hash(row, counted),) if row.code_hash != counted else ()),
            self.store.external_identities.note_session(
                UpstreamSession(
                    holder=sign_in.id,
                    factor_id=identity.factor_id,
                    sid=claims.sid,
                    expires_at=sign_in.expires_at,
                )
            ),
            self.audit_log.write(
                "sign_in.provider_proven",
                caller=caller,
                now=now,
                account_id=account.id,
                provider=provider.name,
                method=proof.kind,
            ),
        )
        return AlreadyBack(sign_in.id) if isinstance(proven, OAuthError) else proven

    async def _address(
        self, provider: IdentityProvider, state: str, sign_in_id: str, asked: Mapping[str, str]
    ) -> str | NotSignedIn:
        try:
            return await provider.authorization_url(
                state=state,
                nonce=self.states.nonce(state),
                verifier=self.states.verifier(state),
                asked=asked,
            )
        except ProviderUnavailable:
            return NotSignedIn("unavailable", sign_in_id)

    async def _answered_no(
        self,
        provider: IdentityProvider,
        error: str,
        journey: ProviderJourney,
        guess: Guess,
        caller: Caller,
        now: int,
    ) -> NotSignedIn:
        if error in provider.service.cancelled:
            await self._clear(guess)
            return NotSignedIn("cancelled", journey.sign_in)
        if error in {"server_error", "temporarily_unavailable"}:
            await self._clear(guess)
            return NotSignedIn("unavailable", journey.sign_in)
        return await self._refused(
            provider.name, "the provider answered with an error", journey, guess, caller, now
        )

    async def _clear(self, guess: Guess) -> None:
        """It was no guess: the provider said yes, or the person or the provider said that it is not now."""
        await self.store.commit(*self.throttle.clear(guess.own))
        await self.throttle.forget(guess.own)

    async def _refused(
        self, name: str, reason: str, journey: ProviderJourney, guess: Guess, caller: Caller, now: int
    ) -> NotSignedIn:
        await self.store.commit(
            *self.throttle.missed(guess, now),
            self._refusal(name, reason, caller, now),
        )
        self.metrics.inc("sign_ins", "failed")
        return NotSignedIn("refused", journey.sign_in)

    def _refusal(self, name: str, reason: str, caller: Caller, now: int) -> Write:
        return self.audit_log.write(
            "provider.refused", caller=caller, now=now, ok=False, provider=name, reason=reason
        )
