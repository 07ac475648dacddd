"""Construction of the token exchange grant, and its entry for the token endpoint (RFC 8693 §2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.oauth.grants.token_exchange.rules.request import PARAMETERS
from doorward.features.oauth.token.grant_type import GrantType
from doorward.features.oauth.tokens.rules.id_jag import TOKEN_TYPE

if TYPE_CHECKING:
    from doorward.features.oauth.grants.token_exchange.assertions import AssertionIssuer
    from doorward.features.oauth.grants.token_exchange.reader import PresentedTokens
    from doorward.features.oauth.grants.token_exchange.service import TokenExchangeGrant
    from doorward.features.services import Services


def presented_tokens(services: Services) -> PresentedTokens:
    """The reader of subject and actor tokens."""
    from doorward.features.clients.build import client_directory
    from doorward.features.oauth.grants.token_exchange.reader import PresentedTokens
    from doorward.features.oauth.tokens.build import access_tokens

    return PresentedTokens(
        store=services.store,
        config=services.config,
        clients=services.get(client_directory),
        tokens=services.get(access_tokens),
    )


def assertion_issuer(services: Services) -> AssertionIssuer:
    """The issuer of ID-JAGs."""
    from doorward.features.audit.build import audit_log
    from doorward.features.oauth.grants.token_exchange.assertions import AssertionIssuer
    from doorward.features.revocations.build import revocation_view

    return AssertionIssuer(
        store=services.store,
        random=services.random,
        signer=services.signer,
        view=services.get(revocation_view),
        presented=services.get(presented_tokens),
        audit_log=services.get(audit_log),
        issuer=services.issuer,
    )


def token_exchange(services: Services) -> TokenExchangeGrant:
    """The grant's service."""
    from doorward.features.audit.build import audit_log
    from doorward.features.oauth.grants.token_exchange.service import TokenExchangeGrant
    from doorward.features.oauth.tokens.build import token_issuer
    from doorward.features.revocations.build import revocation_view

    return TokenExchangeGrant(
        store=services.store,
        config=services.config,
        random=services.random,
        view=services.get(revocation_view),
        tokens=services.get(token_issuer),
        presented=services.get(presented_tokens),
        assertions=services.get(assertion_issuer),
        audit_log=services.get(audit_log),
    )


TOKEN_EXCHANGE = GrantType(
    name="urn:ietf:params:oauth:grant-type:token-exchange",
    parameters=PARAMETERS,
    build=token_exchange,
    chaining=(TOKEN_TYPE,),
)
