"""Construction of the check of authorization requests."""

from __future__ import annotations

from doorward.features.clients.build import client_directory
from doorward.features.oauth.authorize.service import Authorize
from doorward.features.services import Services


def authorize(services: Services) -> Authorize:
    """The check of authorization requests."""
    return Authorize(
        config=services.config,
        clients=services.get(client_directory),
        signer=services.signer,
        issuer=services.issuer,
        notices=services.notices,
    )
