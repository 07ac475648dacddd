"""Construction of the sign-in method services."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.password.build import check_password
from doorward.features.authn.flow.build import offered_factors
from doorward.features.authn.methods.service import SecondFactors
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services


def second_factors(services: Services) -> SecondFactors:
    """The service that adds and removes second factors."""
    return SecondFactors(
        store=services.store,
        random=services.random,
        sealer=services.sealer,
        check=services.get(check_password),
        mail_queue=services.mail,
        audit_log=services.get(audit_log),
        throttle=services.get(throttle),
        policy=services.passwords,
        brand=services.brand_name,
        factors=services.get(offered_factors),
    )
