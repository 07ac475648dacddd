"""Construction of the step that asks people from elsewhere for an address."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.addresses.service import ProveAddress
from doorward.features.authn.email_challenges.build import email_challenges
from doorward.features.authn.flow.build import new_accounts, new_factors, offered_factors, routed_domains
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services


def prove_address(services: Services) -> ProveAddress:
    """The service of the step."""
    return ProveAddress(
        store=services.store,
        random=services.random,
        config=services.config,
        accounts=services.get(new_accounts),
        challenges=services.get(email_challenges),
        throttle=services.get(throttle),
        factors=services.get(offered_factors),
        routes=services.get(routed_domains),
        gate=services.get(new_factors),
        audit_log=services.get(audit_log),
        beyond_ascii=services.beyond_ascii,
    )
