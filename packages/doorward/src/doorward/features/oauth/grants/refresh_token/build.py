"""How the refresh token grant is built."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.oauth.clients.build import ignored_scopes
from doorward.features.oauth.grants.refresh_token.service import RefreshGrant
from doorward.features.oauth.tokens.build import token_issuer
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def refresh_grant(services: Services) -> RefreshGrant:
    """From refresh token to tokens."""
    return RefreshGrant(
        store=services.store,
        ending=services.get(revoker),
        give=services.get(token_issuer),
        chance=services.random,
        record=services.get(audit_log),
        meter=services.metrics,
        postman=services.mail,
        policy=services.tokens,
        ignored_scopes=services.get(ignored_scopes),
    )
