"""How the client credentials grant is built."""

from __future__ import annotations

from doorward.features.oauth.grants.client_credentials.service import ClientCredentialsGrant
from doorward.features.oauth.tokens.build import token_issuer
from doorward.features.services import Services


def client_credentials(services: Services) -> ClientCredentialsGrant:
    """The grant at work."""
    return ClientCredentialsGrant(
        catalog=services.config, random=services.random, tokens=services.get(token_issuer)
    )
