"""Construction of the account services."""

from __future__ import annotations

from doorward.features.accounts.change_address import ChangeAddress
from doorward.features.accounts.devices import OwnDevices
from doorward.features.accounts.reset_password import ResetPassword
from doorward.features.accounts.self_service import AccountPages
from doorward.features.accounts.sign_up import SignUp
from doorward.features.accounts.verify_address import VerifyAddress
from doorward.features.audit.build import audit_log
from doorward.features.authn.email_challenges.build import email_challenges
from doorward.features.authn.factors.password.build import password_policy
from doorward.features.authn.flow.build import new_accounts, new_factors, offered_factors, routed_domains
from doorward.features.authn.providers.build import drop_connections
from doorward.features.authn.trusted_device.build import trusted_devices
from doorward.features.clients.build import client_directory
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services
from doorward.features.sessions.build import revoker, session_reader


def sign_up(services: Services) -> SignUp:
    """The service for the first half of a sign-up: address, password and mail."""
    return SignUp(
        store=services.store,
        hasher=services.hasher,
        judge=services.get(password_policy),
        throttle=services.get(throttle),
        email_challenges=services.get(email_challenges),
        factors=services.get(offered_factors),
        routes=services.get(routed_domains),
        beyond_ascii=services.beyond_ascii,
    )


def verify_address(services: Services) -> VerifyAddress:
    """The service for the second half of a sign-up: the proven address."""
    return VerifyAddress(
        store=services.store,
        accounts=services.get(new_accounts),
        audit_log=services.get(audit_log),
    )


def reset_password(services: Services) -> ResetPassword:
    """The service that sets a forgotten password anew."""
    return ResetPassword(
        store=services.store,
        random=services.random,
        hasher=services.hasher,
        judge=services.get(password_policy),
        throttle=services.get(throttle),
        email_challenges=services.get(email_challenges),
        mail_queue=services.mail,
        revoker=services.get(revoker),
        audit_log=services.get(audit_log),
        factors=services.get(offered_factors),
        routes=services.get(routed_domains),
        connections=services.get(drop_connections),
    )


def change_address(services: Services) -> ChangeAddress:
    """The service that changes the address of an account."""
    return ChangeAddress(
        store=services.store,
        challenges=services.get(email_challenges),
        throttle=services.get(throttle),
        factors=services.get(offered_factors),
        routes=services.get(routed_domains),
        gate=services.get(new_factors),
        revoker=services.get(revoker),
        trusted=services.get(trusted_devices),
        mail_queue=services.mail,
        audit_log=services.get(audit_log),
        beyond_ascii=services.beyond_ascii,
    )


def own_devices(services: Services) -> OwnDevices:
    """The service behind the page of one device."""
    return OwnDevices(
        store=services.store,
        reader=services.get(session_reader),
        clients=services.get(client_directory),
        revoker=services.get(revoker),
        audit_log=services.get(audit_log),
        throttle=services.get(throttle),
    )


def self_service(services: Services) -> AccountPages:
    """The service behind the account pages."""
    return AccountPages(
        store=services.store,
        clients=services.get(client_directory),
        revoker=services.get(revoker),
        audit_log=services.get(audit_log),
        throttle=services.get(throttle),
        trusted=services.get(trusted_devices),
    )
