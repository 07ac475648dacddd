"""Construction of the check of authorization requests."""

from __future__ import annotations

from doorward.features.oauth.authorize.service import Authorize
from doorward.features.oauth.tokens.build import id_token_hints
from doorward.features.services import Services


def authorize(services: Services) -> Authorize:
    """The check of authorization requests."""
    return Authorize(
        config=services.config,
        id_token_hints=services.get(id_token_hints),
        issuer=services.issuer,
        notices=services.notices,
    )
