"""How the services of accounts are built."""

from __future__ import annotations

from doorward.features.accounts.reset_password import ResetPassword
from doorward.features.accounts.self_service import AccountPages
from doorward.features.accounts.sign_up import SignUp
from doorward.features.accounts.verify_address import VerifyAddress
from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.email_code.build import email_challenges
from doorward.features.authn.factors.password.build import password_policy
from doorward.features.authn.flow.build import offered_factors
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def sign_up(services: Services) -> SignUp:
    """The first half of an account: an address, a password, a mail."""
    return SignUp(
        store=services.store,
        hasher=services.hasher,
        judge=services.get(password_policy),
        throttle=services.get(throttle),
        tickets=services.get(email_challenges),
        beyond_ascii=services.beyond_ascii,
    )


def verify_address(services: Services) -> VerifyAddress:
    """The second half: the proven address."""
    return VerifyAddress(
        store=services.store,
        chance=services.random,
        catalog=services.config,
        tickets=services.get(email_challenges),
        record=services.get(audit_log),
    )


def reset_password(services: Services) -> ResetPassword:
    """A new password for who has forgotten theirs."""
    return ResetPassword(
        store=services.store,
        chance=services.random,
        hasher=services.hasher,
        judge=services.get(password_policy),
        throttle=services.get(throttle),
        tickets=services.get(email_challenges),
        postman=services.mail,
        ending=services.get(revoker),
        record=services.get(audit_log),
        factors=services.get(offered_factors),
    )


def self_service(services: Services) -> AccountPages:
    """What people see and change of their own account."""
    return AccountPages(
        store=services.store,
        catalog=services.config,
        ending=services.get(revoker),
        record=services.get(audit_log),
        throttle=services.get(throttle),
    )
