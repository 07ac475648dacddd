"""First sign-in of an identity that nobody here has: a new account, or its owner signs in first."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.core.login_name import normalise_name
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.provider import ExternalIdentity, PendingIdentity
from doorward.core.model.signin import SignIn
from doorward.features.authn.addresses.service import ProveAddress
from doorward.features.authn.flow.rules.routing import DomainRoutes
from doorward.features.authn.flow.waiting_person import WaitingPerson
from doorward.features.authn.providers.connecting import ConnectIdentities
from doorward.features.authn.providers.mapping import ProviderMapping
from doorward.features.authn.providers.outcomes import AccountNeeded, AddressNeeded, NotSignedIn
from doorward.features.authn.providers.provider import IdentityProvider
from doorward.features.authn.providers.rules.id_token import UpstreamClaims
from doorward.features.authn.providers.rules.identity import (
    EXTERNAL,
    PROVIDED,
    PROVIDED_TWICE,
    confirmed_email,
    kept_under,
    stated_email,
    two_factors,
)
from doorward.storage.sql.store import Store

PENDING_TTL: Final = 1800


@final
class FirstSignIn(Struct, frozen=True, kw_only=True):
    """Decides what becomes of an identity that is new here. An address gives access to no account (R89)."""

    store: Store
    identities: ConnectIdentities
    routes: DomainRoutes
    addresses: ProveAddress
    mapping: ProviderMapping

    async def begin(
        self, provider: IdentityProvider, claims: UpstreamClaims, sign_in: SignIn, caller: Caller, now: int
    ) -> ExternalIdentity | AccountNeeded | AddressNeeded | NotSignedIn:
        """An identity that nobody here has: a new account for a confirmed address that no account has, or without an address where the
        settings allow that; else the person proves one, or the owner signs in first."""
        email = confirmed_email(claims, provider.policy)
        owner = await self.store.accounts.by_email(email) if email is not None else None
        if owner is not None and await self._replaced(owner, claims):
            return NotSignedIn("replaced", sign_in.id)
        made_without = email is None and provider.policy.address == "optional"
        routed = self.routes.only(email or stated_email(claims))
        # people of a domain with a provider of its own sign up there alone
        offered = provider.policy.sign_up and (routed is None or routed.provider == provider.name)
        if owner is None and offered and (email is not None or made_without):
            made = await self.identities.sign_up(provider, claims, email=email, caller=caller, now=now)
            if made is not None:
                return made
            # somebody took the address, or the identity, in this moment
            owner = await self.store.accounts.by_email(email) if email is not None else None
        if owner is None and not offered:
            # whether an account has the address is told only to those for whom it is confirmed
            return NotSignedIn("no_account", sign_in.id)
        pending = PendingIdentity(
            browser_hash=caller.browser_hash,
            sign_in_id=sign_in.id,
            provider=provider.name,
            issuer=claims.issuer,
            subject=claims.subject,
            email=email or stated_email(claims) or "",
            taken=owner is not None,
            expires_at=now + PENDING_TTL,
        )
        # it waits for an owner in any case: the page that asks for an address leads there, too
        await self.store.commit(self.store.external_identities.put_pending(pending))
        asks = email is None and offered and await self.asks(provider)
        return AddressNeeded(sign_in.id) if asks else AccountNeeded(pending)

    async def asks(self, provider: IdentityProvider) -> bool:
        """Whether people without an address that the provider confirms are asked for one. Not while an older program runs, which has no such
        pages."""
        return provider.policy.address == "required" and await self.addresses.possible()

    async def address_first(
        self,
        provider: IdentityProvider,
        claims: UpstreamClaims,
        sign_in: SignIn,
        at: int,
        known: ExternalIdentity | None,
        caller: Caller,
        now: int,
    ) -> AddressNeeded:
        """The person proves an address before anything else. `known`: the identity of an account that has none."""
        policy, stated = provider.policy, stated_email(claims) or ""
        traits = PROVIDED_TWICE if two_factors(claims, policy) else PROVIDED
        mapped, roles = self.mapping.told(provider, claims)
        name = normalise_name(claims.name or "")
        person = WaitingPerson(
            by="provider",
            source=provider.name,
            label=policy.label,
            kind=EXTERNAL,
            mark=kept_under(claims.issuer, policy),
            issuer=claims.issuer,
            subject=claims.subject,
            shown=stated,
            stated=stated,
            profile={**({"name": name} if name else {}), **mapped},
            mapped=tuple(mapped),
            roles=tuple(roles),
            proof=traits.kind,
            amr=traits.amr,
            at=at,
            sid=claims.sid,
            account_id=known.account_id if known is not None else "",
            factor_id=known.factor_id if known is not None else "",
        )
        return AddressNeeded(sign_in.id, await self.addresses.begin(person, sign_in, caller=caller, now=now))

    async def _replaced(self, owner: Account, claims: UpstreamClaims) -> bool:
        """Whether the account with this address has another identity of the same provider. An address there that passes on to somebody
        else, or an account there that was made anew, is another person as far as anybody here can tell."""
        own = await self.store.external_identities.of_account(owner.id)
        return any(one.issuer == claims.issuer for one in own)
