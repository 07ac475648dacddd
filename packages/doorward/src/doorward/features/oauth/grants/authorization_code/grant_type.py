"""Authorization code grant as a plug of the token endpoint (OAuth 2.1 §4.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.oauth.token.grant_type import GrantType

if TYPE_CHECKING:
    from doorward.features.oauth.token.grant_type import TokenGrant
    from doorward.features.services import Services


def _build(services: Services) -> TokenGrant:
    from doorward.features.oauth.grants.authorization_code.build import authorization_code

    return services.get(authorization_code)


AUTHORIZATION_CODE = GrantType(
    name="authorization_code", parameters=("code", "code_verifier", "redirect_uri", "resource"), build=_build
)
