"""How the authorization code grant is built."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.oauth.grants.authorization_code.service import AuthorizationCodeGrant
from doorward.features.oauth.tokens.build import token_issuer
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def authorization_code(services: Services) -> AuthorizationCodeGrant:
    """The grant at work."""
    return AuthorizationCodeGrant(
        store=services.store,
        ending=services.get(revoker),
        tokens=services.get(token_issuer),
        random=services.random,
        record=services.get(audit_log),
    )
