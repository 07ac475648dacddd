"""Construction of the client credentials grant, and its entry for the token endpoint (OAuth 2.1 §4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.oauth.token.grant_type import GrantType

if TYPE_CHECKING:
    from doorward.features.oauth.grants.client_credentials.service import ClientCredentialsGrant
    from doorward.features.services import Services


def client_credentials(services: Services) -> ClientCredentialsGrant:
    """The grant's service."""
    from doorward.features.oauth.grants.client_credentials.service import ClientCredentialsGrant
    from doorward.features.oauth.tokens.build import token_issuer

    return ClientCredentialsGrant(
        config=services.config, random=services.random, tokens=services.get(token_issuer)
    )


CLIENT_CREDENTIALS = GrantType(
    name="client_credentials", parameters=("scope", "resource"), build=client_credentials
)
