"""The domains of the settings whose people sign in at a provider."""

from __future__ import annotations

from doorward.core.login_name import normalise_domain
from doorward.features.authn.flow.rules.routing import DomainRoutes, RoutedDomain
from doorward.features.authn.providers.settings import ProviderPolicies
from doorward.features.services import Services


def domain_routes(services: Services) -> DomainRoutes:
    """Those of all sections."""
    found: dict[str, RoutedDomain] = {}
    for name, policy in services.sections.of(ProviderPolicies).by_name.items():
        for text in policy.domains:
            if (domain := normalise_domain(text)) is not None:
                found[domain] = RoutedDomain(
                    domain=domain, provider=name, label=policy.label, only=policy.only
                )
    return DomainRoutes(found)
