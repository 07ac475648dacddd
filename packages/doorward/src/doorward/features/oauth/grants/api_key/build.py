"""Construction of the API key grant, and its entry for the token endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doorward.features.oauth.token.grant_type import GrantType

if TYPE_CHECKING:
    from doorward.features.oauth.grants.api_key.service import ApiKeyGrant
    from doorward.features.services import Services

NAME: Final = "urn:doorward:grant-type:api-key"
"""The value of `grant_type`: no standard has one. It is pinned; `doorward_verify` sends it too."""


def api_key_grant(services: Services) -> ApiKeyGrant:
    """The grant's service."""
    from doorward.features.api_keys.build import verification
    from doorward.features.api_keys.settings import ApiKeyPolicy
    from doorward.features.oauth.grants.api_key.service import ApiKeyGrant
    from doorward.features.oauth.tokens.build import token_issuer

    return ApiKeyGrant(
        keys=services.get(verification),
        tokens=services.get(token_issuer),
        ttl=services.sections.of(ApiKeyPolicy).token_ttl,
    )


API_KEY = GrantType(
    name=NAME, parameters=("api_key", "scope", "resource", "caller_address"), build_alone=api_key_grant
)
