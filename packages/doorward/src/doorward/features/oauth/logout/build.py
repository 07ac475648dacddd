"""Construction of the logout services."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.clients.build import client_directory
from doorward.features.oauth.logout.notify import FirstTries, LogoutToken
from doorward.features.oauth.logout.service import SignOutAction
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def sign_out(services: Services) -> SignOutAction:
    """The service that ends a session, for its person or an app."""
    return SignOutAction(
        store=services.store,
        clients=services.get(client_directory),
        revoker=services.get(revoker),
        audit_log=services.get(audit_log),
        signer=services.signer,
        first_tries=services.get(first_tries),
        issuer=services.issuer,
    )


def first_tries(services: Services) -> FirstTries:
    """The wait for the first notification of apps."""
    return FirstTries(store=services.store)


def logout_tokens(services: Services) -> LogoutToken:
    """The maker of logout tokens for apps."""
    return LogoutToken(
        config=services.config, signer=services.signer, random=services.random, issuer=services.issuer
    )
