"""Construction of the logout services."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.oauth.logout.notify import LogoutToken
from doorward.features.oauth.logout.service import SignOutAction
from doorward.features.oauth.tokens.build import id_token_hints
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def sign_out(services: Services) -> SignOutAction:
    """The service that ends a session, for its person or an app."""
    return SignOutAction(
        store=services.store,
        catalog=services.config,
        ending=services.get(revoker),
        record=services.get(audit_log),
        id_token_hints=services.get(id_token_hints),
    )


def logout_tokens(services: Services) -> LogoutToken:
    """The maker of logout tokens for apps."""
    return LogoutToken(
        catalog=services.config, signer=services.signer, chance=services.random, issuer=services.issuer
    )
