"""How the token endpoint's service is built."""

from __future__ import annotations

from doorward.features.oauth.client_auth.build import authenticate_client
from doorward.features.oauth.grants.authorization_code.build import redeem_code
from doorward.features.oauth.grants.refresh_token.build import refresh_grant
from doorward.features.oauth.token.service import ExchangeToken
from doorward.features.oauth.tokens.build import token_issuer
from doorward.features.services import Services


def exchange_token(services: Services) -> ExchangeToken:
    """What the token endpoint answers."""
    return ExchangeToken(
        authenticate=services.get(authenticate_client),
        redeem=services.get(redeem_code),
        refresh=services.get(refresh_grant),
        give=services.get(token_issuer),
        catalog=services.config,
        chance=services.random,
        clock=services.clock,
        meter=services.metrics,
    )
