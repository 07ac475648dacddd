"""Construction of the services for first-party apps."""

from __future__ import annotations

from doorward.features.authn.flow.build import (
    advance,
    offered_factors,
    prove_typed_code,
    routed_domains,
    send_code,
)
from doorward.features.authn.flow.typed_code import TypedCodeStep
from doorward.features.oauth.client_auth.build import client_authenticator
from doorward.features.oauth.first_party.challenge import AuthorizationChallenge
from doorward.features.oauth.first_party.cookie_session import CookieSession
from doorward.features.oauth.logout.build import sign_out
from doorward.features.oauth.token.build import token_service
from doorward.features.rate_limits.build import sign_in_starts
from doorward.features.revocations.build import revocation_view
from doorward.features.services import Services


def challenge(services: Services) -> AuthorizationChallenge:
    """The JSON sign-in."""
    return AuthorizationChallenge(
        store=services.store,
        config=services.config,
        random=services.random,
        clock=services.clock,
        clients=services.get(client_authenticator),
        factors=services.get(offered_factors),
        typed_code=TypedCodeStep(prove_code=services.get(prove_typed_code)),
        send_code=services.get(send_code),
        sign_in_flow=services.get(advance),
        sessions=services.sessions,
        issuer=services.issuer,
        notices=services.notices,
        routes=services.get(routed_domains),
        limiter=services.get(sign_in_starts),
    )


def cookie_session(services: Services) -> CookieSession:
    """Tokens in cookies for apps on the issuer's site."""
    return CookieSession(
        tokens=services.get(token_service),
        config=services.config,
        store=services.store,
        signer=services.signer,
        clock=services.clock,
        view=services.get(revocation_view),
        sign_out=services.get(sign_out),
        issuer=services.issuer,
        own_origin=services.origin,
    )
