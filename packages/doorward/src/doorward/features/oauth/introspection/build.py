"""How the introspection endpoint's service is built."""

from __future__ import annotations

from doorward.features.oauth.client_auth.build import authenticate_client
from doorward.features.oauth.introspection.service import Introspect
from doorward.features.revocations.build import revocation_view
from doorward.features.services import Services


def introspection(services: Services) -> Introspect:
    """Whether a token works."""
    return Introspect(
        authenticate=services.get(authenticate_client),
        store=services.store,
        catalog=services.config,
        signer=services.signer,
        clock=services.clock,
        view=services.get(revocation_view),
        policy=services.tokens,
        issuer=services.issuer,
    )
