"""Refresh token grant as a plug of the token endpoint (OAuth 2.1 §4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.oauth.token.grant_type import GrantType

if TYPE_CHECKING:
    from doorward.features.oauth.token.grant_type import TokenGrant
    from doorward.features.services import Services


def _build(services: Services) -> TokenGrant:
    from doorward.features.oauth.grants.refresh_token.build import refresh_token

    return services.get(refresh_token)


REFRESH_TOKEN = GrantType(
    name="refresh_token", parameters=("refresh_token", "scope", "resource"), build=_build
)
