"""How the services of signing out are built."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.oauth.logout.notify import LogoutToken
from doorward.features.oauth.logout.service import SignOutAction
from doorward.features.oauth.tokens.build import id_token_hints
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def sign_out(services: Services) -> SignOutAction:
    """The end of a session, by its person or at an app's wish."""
    return SignOutAction(
        store=services.store,
        catalog=services.config,
        ending=services.get(revoker),
        record=services.get(audit_log),
        id_token_hints=services.get(id_token_hints),
    )


def logout_tokens(services: Services) -> LogoutToken:
    """What apps are told when a session ended."""
    return LogoutToken(
        catalog=services.config, signer=services.signer, chance=services.random, issuer=services.issuer
    )
