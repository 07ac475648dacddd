"""Construction of the authorization code grant, and its entry for the token endpoint (OAuth 2.1 §4.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.oauth.token.grant_type import GrantType

if TYPE_CHECKING:
    from doorward.features.oauth.grants.authorization_code.service import AuthorizationCodeGrant
    from doorward.features.services import Services


def authorization_code(services: Services) -> AuthorizationCodeGrant:
    """The grant's service."""
    from doorward.features.oauth.grants.authorization_code.service import AuthorizationCodeGrant
    from doorward.features.oauth.tokens.build import grant_redemption

    return AuthorizationCodeGrant(store=services.store, redemption=services.get(grant_redemption))


AUTHORIZATION_CODE = GrantType(
    name="authorization_code",
    parameters=("code", "code_verifier", "redirect_uri", "resource"),
    build=authorization_code,
)
