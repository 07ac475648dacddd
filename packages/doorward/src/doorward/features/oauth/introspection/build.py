"""Construction of the introspection service."""

from __future__ import annotations

from doorward.features.api_keys.build import verification
from doorward.features.oauth.client_auth.build import client_authenticator
from doorward.features.oauth.introspection.service import IntrospectionService
from doorward.features.oauth.tokens.build import access_tokens
from doorward.features.revocations.build import revocation_view
from doorward.features.risk.build import family_watch
from doorward.features.services import Services


def introspection(services: Services) -> IntrospectionService:
    """The service that tells whether a token is active."""
    return IntrospectionService(
        clients=services.get(client_authenticator),
        keys=services.get(verification),
        metrics=services.metrics,
        store=services.store,
        config=services.config,
        tokens=services.get(access_tokens),
        view=services.get(revocation_view),
        policy=services.tokens,
        issuer=services.issuer,
        watch=services.get(family_watch),
    )
