"""Worth of what a provider says: the person's address, how and when they signed in there. Trusted only as the operator says (R92)."""

from __future__ import annotations

from typing import Final

from doorward.core.login_name import new_email
from doorward.core.model.account import EnrolledFactor
from doorward.core.model.digest import digest
from doorward.core.model.provider import FEDERATED
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.standing import mark
from doorward.features.authn.providers.rules.id_token import SKEW, UpstreamClaims
from doorward.features.authn.providers.settings import ProviderPolicy

METHOD: Final = FEDERATED
EXTERNAL: Final = "provider"
"""The kind of the row in `factors`, and of the proof."""

PROVIDED: Final = FactorTraits(
    kind=EXTERNAL, amr=(METHOD,), counts_for=frozenset({"known"}), comes_first=True
)
"""One factor, and as much as a password: what the provider asked for is not known."""

PROVIDED_TWICE: Final = FactorTraits(
    kind="provider_mfa", amr=(METHOD,), counts_for=frozenset({"known", "held"}), comes_first=True
)
"""A sign-in there with two factors, at a provider that the operator trusts to say so."""

PROVIDED_KINDS: Final = frozenset({PROVIDED.kind, PROVIDED_TWICE.kind})
"""The kinds of proofs that an identity vouches for."""


def confirmed_email(claims: UpstreamClaims, policy: ProviderPolicy) -> str | None:
    """The address, in the spelling in which accounts have it, if the provider confirms it and is trusted for its domain."""
    email = stated_email(claims)
    if email is None or not claims.email_verified:
        return None
    domain = email.rpartition("@")[2]
    trusted = {one.lower() for one in policy.email_domains}
    return email if "*" in trusted or domain in trusted else None


def stated_email(claims: UpstreamClaims) -> str | None:
    """The address that the provider gives, confirmed or not."""
    return new_email(claims.email) if claims.email is not None else None


def two_factors(claims: UpstreamClaims, policy: ProviderPolicy) -> bool:
    """Whether the sign-in there had two factors, in the words for which the operator trusts this provider."""
    return claims.acr in policy.trusted_acr or not set(policy.trusted_amr).isdisjoint(claims.amr)


def proof_time(
    claims: UpstreamClaims, policy: ProviderPolicy, *, started: int, anew: bool, now: int, shown: bool = False
) -> int | None:
    """When the person signed in there (seconds). None: they had to do it anew, and the provider does not show that they did.

    `started`: when they left for the provider. A provider that says nothing, or is not trusted for its times, is taken to have asked
    now, unless the person had to be asked anew (prompt=login, a sensitive change), or the time has to be `shown` (max_age).
    """
    said = claims.auth_time if policy.trust_auth_time else None
    if said is None:
        return None if anew or shown else now
    if said >= started - SKEW:
        # during this round trip, as far as two clocks can tell
        return now
    return None if anew else said


def issuer_mark(issuer: str) -> bytes:
    """What the row in `factors` has of the issuer, so that a provider that is no longer in the settings is recognised there."""
    return digest(issuer)


def kept_under(issuer: str, policy: ProviderPolicy) -> bytes:
    """The mark in the row of a connection with this issuer, while the provider has this section."""
    counting = policy.provider_service().vouches_for(policy)
    return issuer_mark(issuer if issuer in counting else counting[0])


def counting_marks(policy: ProviderPolicy) -> frozenset[bytes]:
    """The marks of the rows that count while the provider has this section."""
    return frozenset(issuer_mark(one) for one in policy.provider_service().vouches_for(policy))


def proof_of(row: EnrolledFactor, *, twice: bool, at: int) -> Proof:
    """The proof by this identity, which ends with it (R94)."""
    traits = PROVIDED_TWICE if twice else PROVIDED
    return Proof(traits.kind, at, traits.amr, against=mark(row))
