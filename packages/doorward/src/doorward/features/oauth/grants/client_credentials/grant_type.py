"""Client credentials grant as a plug of the token endpoint (OAuth 2.1 §4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.oauth.token.grant_type import GrantType

if TYPE_CHECKING:
    from doorward.features.oauth.token.grant_type import TokenGrant
    from doorward.features.services import Services


def _build(services: Services) -> TokenGrant:
    from doorward.features.oauth.grants.client_credentials.build import client_credentials

    return services.get(client_credentials)


CLIENT_CREDENTIALS = GrantType(name="client_credentials", parameters=("scope", "resource"), build=_build)
