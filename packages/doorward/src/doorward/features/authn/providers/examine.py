"""Examination of a provider for operators: what a sign-in would find, without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.features.authn.providers.provider import ProviderFindings
from doorward.features.authn.providers.rules.metadata import ProviderMetadata
from doorward.features.authn.providers.services.index import SERVICES
from doorward.features.authn.providers.settings import ProviderPolicy
from doorward_verify.keyset import same_algorithm

NO_ADDRESS: Final = (
    "it is trusted for no address (email_domains), so people prove theirs by a code at a first sign-in"
)
NONE_HERE: Final = "it is trusted for no address (email_domains), so people have an account without one"


def openid_findings(
    metadata: ProviderMetadata, algorithms: Sequence[str], *, policy: ProviderPolicy, warnings: Sequence[str]
) -> ProviderFindings:
    """What metadata and the algorithms of the keys say about an OpenID provider. `warnings`: those of its service."""
    usable = [alg for alg in algorithms if any(same_algorithm(alg, one) for one in policy.signing_algs)]
    if not usable:
        return ProviderFindings(
            problem=f"its keys are for {', '.join(algorithms)}, and signing_algs allows {', '.join(policy.signing_algs)}"
        )
    found = list(warnings)
    if not metadata.names_issuer:
        found.append(
            "its responses do not name their issuer (RFC 9207); its own redirect URI tells them apart"
        )
    return ProviderFindings(
        issuer=metadata.issuer,
        authorization_endpoint=metadata.authorization_endpoint,
        algorithms=tuple(usable),
        warnings=(*found, *_service_warning(policy), *address_warning(policy)),
    )


def _service_warning(policy: ProviderPolicy) -> tuple[str, ...]:
    """What it means that a well-known service is called any OpenID provider."""
    better = next((one.name for one in SERVICES if one.serves(policy.issuer)), policy.service)
    if better == policy.service:
        return ()
    return (
        f'its issuer is that of service = "{better}"; as "{policy.service}" its claims are taken as they stand',
    )


def address_warning(policy: ProviderPolicy) -> tuple[str, ...]:
    """What a provider that may confirm no address means for first sign-ins."""
    if policy.email_domains:
        return ()
    return (NO_ADDRESS if policy.address == "required" else NONE_HERE,)
