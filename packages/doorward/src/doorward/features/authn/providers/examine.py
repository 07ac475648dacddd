"""Examination of a provider for operators: what a sign-in would find, without one."""

from __future__ import annotations

from msgspec import Struct

from doorward.features.authn.providers.documents import ProviderUnavailable
from doorward.features.authn.providers.openid import OpenIdProvider
from doorward_verify.keyset import same_algorithm


class ProviderFindings(Struct, frozen=True, kw_only=True):
    """What was found. `problem`: why nobody could sign in, None for nothing; `algorithms`: those of the keys that can be used."""

    problem: str | None = None
    issuer: str = ""
    authorization_endpoint: str = ""
    algorithms: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


async def examine_provider(provider: OpenIdProvider) -> ProviderFindings:
    """Fetch metadata and keys, as the first sign-in would."""
    policy = provider.policy
    try:
        metadata = await provider.documents.metadata()
        keys = await provider.documents.keys()
    except ProviderUnavailable as problem:
        return ProviderFindings(problem=str(problem))
    found = sorted({key.alg for key in keys.keys})
    usable = [alg for alg in found if any(same_algorithm(alg, one) for one in policy.signing_algs)]
    if not usable:
        return ProviderFindings(
            problem=f"its keys are for {', '.join(found)}, and signing_algs allows {', '.join(policy.signing_algs)}"
        )
    warnings: list[str] = []
    if not metadata.names_issuer:
        warnings.append(
            "its responses do not name their issuer (RFC 9207); its own redirect URI tells them apart"
        )
    if not policy.email_domains:
        warnings.append(
            "it is trusted for no address (email_domains), so nobody gets an account by a first sign-in"
        )
    return ProviderFindings(
        issuer=metadata.issuer,
        authorization_endpoint=metadata.authorization_endpoint,
        algorithms=tuple(usable),
        warnings=tuple(warnings),
    )
