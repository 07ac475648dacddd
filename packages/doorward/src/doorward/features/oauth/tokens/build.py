"""Construction of the token issuer."""

from __future__ import annotations

from doorward.features.oauth.tokens.issue import TokenIssuer
from doorward.features.services import Services


def token_issuer(services: Services) -> TokenIssuer:
    """The maker of access and ID tokens."""
    return TokenIssuer(
        config=services.config,
        signer=services.signer,
        random=services.random,
        policy=services.tokens,
        issuer=services.issuer,
    )
