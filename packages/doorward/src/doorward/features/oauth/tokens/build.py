"""Construction of the token issuer, and of what makes and redeems grants."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.oauth.tokens.access_tokens import AccessTokenReader
from doorward.features.oauth.tokens.issue import TokenIssuer
from doorward.features.oauth.tokens.new_grants import NewGrants
from doorward.features.oauth.tokens.redemption import GrantRedemption
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


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


def access_tokens(services: Services) -> AccessTokenReader:
    """The reader of access tokens that come back."""
    return AccessTokenReader(signer=services.signer, issuer=services.issuer)


def grant_redemption(services: Services) -> GrantRedemption:
    """The redemption of codes for the first tokens of their grants."""
    return GrantRedemption(
        store=services.store,
        revoker=services.get(revoker),
        tokens=services.get(token_issuer),
        random=services.random,
        audit_log=services.get(audit_log),
    )
