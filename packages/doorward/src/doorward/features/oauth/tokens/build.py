"""How the services that make and read tokens are built."""

from __future__ import annotations

from doorward.features.oauth.tokens.issue import GiveTokens
from doorward.features.oauth.tokens.own_tokens import OwnTokens
from doorward.features.services import Services


def token_issuer(services: Services) -> GiveTokens:
    """Access and ID tokens."""
    return GiveTokens(
        catalog=services.config,
        signer=services.signer,
        chance=services.random,
        policy=services.tokens,
        issuer=services.issuer,
    )


def own_tokens(services: Services) -> OwnTokens:
    """ID tokens of ours that come back as hints."""
    return OwnTokens(signer=services.signer, issuer=services.issuer)
