"""Construction of the token service."""

from __future__ import annotations

from doorward.features.oauth.client_auth.build import client_authenticator
from doorward.features.oauth.slots import GRANTS
from doorward.features.oauth.token.grant_type import distinct
from doorward.features.oauth.token.service import TokenService
from doorward.features.services import Services


def token_service(services: Services) -> TokenService:
    """The service of the token endpoint."""
    grant_types = distinct(services.added(GRANTS))
    return TokenService(
        clients=services.get(client_authenticator),
        grants={one.name: services.get(one.build) for one in grant_types if one.build},
        alone={one.name: services.get(one.build_alone) for one in grant_types if one.build_alone},
        metrics=services.metrics,
    )
