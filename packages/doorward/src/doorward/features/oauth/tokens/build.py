"""Construction of the services that make and read tokens."""

from __future__ import annotations

from doorward.features.oauth.tokens.id_token_hints import IdTokenHints
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


def id_token_hints(services: Services) -> IdTokenHints:
    """The reader of ID token hints."""
    return IdTokenHints(signer=services.signer, issuer=services.issuer)
