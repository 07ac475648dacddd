"""Construction of the services for authenticator apps."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.totp.enrolment import AuthenticatorEnrolment
from doorward.features.authn.factors.totp.owning import OwnAuthenticator
from doorward.features.authn.flow.build import advance, offered_factors
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services


def own_authenticator(services: Services) -> OwnAuthenticator:
    """The service that sets up an authenticator app, and removes it."""
    return OwnAuthenticator(
        store=services.store,
        random=services.random,
        sealer=services.sealer,
        mail_queue=services.mail,
        audit_log=services.get(audit_log),
        throttle=services.get(throttle),
        brand=services.brand_name,
        factors=services.get(offered_factors),
        flow=services.get(advance),
        window=services.second_factor.totp_tolerance,
    )


def authenticator_enrolment(services: Services) -> AuthenticatorEnrolment:
    """The pages that set one up, and its card."""
    return AuthenticatorEnrolment(own=services.get(own_authenticator))
