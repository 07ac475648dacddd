"""Construction of the check of authorization requests."""

from __future__ import annotations

from doorward.features.oauth.authorize.service import Authorize
from doorward.features.services import Services


def authorize(services: Services) -> Authorize:
    """The check of authorization requests."""
    return Authorize(
        config=services.config,
        signer=services.signer,
        issuer=services.issuer,
        notices=services.notices,
    )
