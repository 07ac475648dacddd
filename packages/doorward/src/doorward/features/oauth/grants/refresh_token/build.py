"""How the refresh token grant is built."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.oauth.clients.build import ignored_scopes
from doorward.features.oauth.grants.refresh_token.service import RefreshTokenGrant
from doorward.features.oauth.tokens.build import token_issuer
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def refresh_token(services: Services) -> RefreshTokenGrant:
    """The grant at work."""
    return RefreshTokenGrant(
        store=services.store,
        ending=services.get(revoker),
        tokens=services.get(token_issuer),
        random=services.random,
        record=services.get(audit_log),
        metrics=services.metrics,
        mail_queue=services.mail,
        policy=services.tokens,
        ignored_scopes=services.get(ignored_scopes),
    )
