"""Construction of the sign-in method services."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.password.build import check_password
from doorward.features.authn.flow.build import advance, flow_pages, offered_factors, signed_in_pages
from doorward.features.authn.flow.enrolment import EnrolmentPages
from doorward.features.authn.methods.alone import PasswordAlone
from doorward.features.authn.methods.authenticator import AuthenticatorEnrolment
from doorward.features.authn.methods.service import SecondFactors
from doorward.features.rate_limits.build import throttle
from doorward.features.repeated_posts.build import pages
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
        flow=services.get(advance),
    )


def authenticator_enrolment(services: Services) -> AuthenticatorEnrolment:
    """The pages that set up an authenticator app."""
    return AuthenticatorEnrolment(factors=services.get(second_factors))


def enrolment_pages(services: Services) -> EnrolmentPages:
    """The factory of pages that set up a factor."""
    return EnrolmentPages(
        own=services.get(signed_in_pages),
        pages=services.get(pages),
        flow=services.get(flow_pages),
        store=services.store,
        random=services.random,
        policy=services.second_factor,
        first_codes=services.get(second_factors).first_codes,
        password_alone=PasswordAlone(factors=services.get(second_factors)).problem,
    )
