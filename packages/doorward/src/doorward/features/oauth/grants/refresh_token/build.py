"""Construction of the refresh token grant, and its entry for the token endpoint (OAuth 2.1 §4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.oauth.token.grant_type import GrantType

if TYPE_CHECKING:
    from doorward.features.oauth.grants.refresh_token.service import RefreshTokenGrant
    from doorward.features.services import Services


def refresh_token(services: Services) -> RefreshTokenGrant:
    """The grant's service."""
    from doorward.features.audit.build import audit_log
    from doorward.features.oauth.grants.refresh_token.newest import NewestTokens
    from doorward.features.oauth.grants.refresh_token.service import RefreshTokenGrant
    from doorward.features.oauth.tokens.build import token_issuer
    from doorward.features.risk.build import family_watch
    from doorward.features.sessions.build import revoker

    return RefreshTokenGrant(
        store=services.store,
        revoker=services.get(revoker),
        tokens=services.get(token_issuer),
        random=services.random,
        audit_log=services.get(audit_log),
        metrics=services.metrics,
        mail_queue=services.mail,
        policy=services.tokens,
        notices=services.notices,
        watch=services.get(family_watch),
        newest=NewestTokens(),
    )


REFRESH_TOKEN = GrantType(
    name="refresh_token", parameters=("refresh_token", "scope", "resource"), build=refresh_token
)
