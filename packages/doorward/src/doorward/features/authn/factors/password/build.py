"""Construction of the password services."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.password.change import ChangePassword
from doorward.features.authn.factors.password.own import OwnPasswords
from doorward.features.authn.factors.password.policy import JudgePassword
from doorward.features.authn.factors.password.service import CheckPassword
from doorward.features.authn.slots import PASSWORD_SOURCES, RESETS
from doorward.features.rate_limits.build import sign_in_starts, throttle
from doorward.features.services import Services
from doorward.features.sessions.build import revoker

if TYPE_CHECKING:
    from doorward.features.authn.factors.password.factor import PasswordFactor


def check_password(services: Services) -> CheckPassword:
    """The check of a password."""
    from doorward.features.authn.flow.build import routed_domains

    return CheckPassword(
        store=services.store,
        sources=(
            OwnPasswords(store=services.store, hasher=services.hasher, routes=services.get(routed_domains)),
            *services.added(PASSWORD_SOURCES),
        ),
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        metrics=services.metrics,
        limiter=services.get(sign_in_starts),
        routes=services.get(routed_domains),
        breached=services.breached if services.passwords.breached_list is not None else None,
    )


def password_factor(services: Services) -> PasswordFactor:
    """The password as a factor."""
    # imported here: commands set passwords too, but load no pages
    from doorward.features.authn.factors.password.factor import PasswordFactor, PasswordStep

    proving = services.get(check_password)
    step, resets = PasswordStep(proving=proving), services.added(RESETS)
    return PasswordFactor(services=services, json_step=step, prove_password=proving, resets=resets)


def password_policy(services: Services) -> JudgePassword:
    """The check of a new password."""
    return JudgePassword(
        policy=services.passwords,
        listed=services.breached,
        issuer_host=urlsplit(services.issuer).hostname or "",
        brand=services.brand_name,
    )


def change_password(services: Services) -> ChangePassword:
    """The password change of a signed-in person."""
    # imported here for the same reason
    from doorward.features.authn.flow.build import offered_factors

    return ChangePassword(
        store=services.store,
        random=services.random,
        hasher=services.hasher,
        check=services.get(check_password),
        judge=services.get(password_policy),
        mail_queue=services.mail,
        revoker=services.get(revoker),
        audit_log=services.get(audit_log),
        factors=services.get(offered_factors),
    )
