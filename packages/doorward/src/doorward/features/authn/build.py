"""How the services that need several factors are built: a factor imports no other one."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.password.build import check_password
from doorward.features.authn.factors.totp.enrol import SecondFactors
from doorward.features.authn.factors.totp.service import ProveSecondFactor
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services


def prove_second_factor(services: Services) -> ProveSecondFactor:
    """The second factor of a sign-in."""
    return ProveSecondFactor(
        store=services.store,
        sealer=services.sealer,
        throttle=services.get(throttle),
        record=services.get(audit_log),
        meter=services.metrics,
        postman=services.mail,
    )


def second_factors(services: Services) -> SecondFactors:
    """Adding and removing them."""
    return SecondFactors(
        store=services.store,
        chance=services.random,
        sealer=services.sealer,
        check=services.get(check_password),
        postman=services.mail,
        record=services.get(audit_log),
        throttle=services.get(throttle),
        policy=services.passwords,
        brand=services.brand_name,
    )
