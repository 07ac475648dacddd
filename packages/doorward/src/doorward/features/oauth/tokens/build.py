"""Construction of the token issuer."""

from __future__ import annotations

from doorward.features.oauth.tokens.issue import TokenIssuer
from doorward.features.oauth.tokens.new_grants import NewGrants
from doorward.features.services import Services


def new_grants(services: Services) -> NewGrants:
    """The maker of grants at the end of a sign-in."""
    return NewGrants(
        store=services.store, random=services.random, tokens=services.tokens, sessions=services.sessions
    )


def token_issuer(services: Services) -> TokenIssuer:
    """The maker of access and ID tokens."""
    return TokenIssuer(
        config=services.config,
        signer=services.signer,
        random=services.random,
        policy=services.tokens,
        issuer=services.issuer,
    )
