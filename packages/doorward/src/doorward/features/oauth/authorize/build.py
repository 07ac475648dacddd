"""How the authorization endpoint's service is built."""

from __future__ import annotations

from doorward.features.oauth.authorize.service import Authorize
from doorward.features.oauth.clients.build import ignored_scopes
from doorward.features.oauth.tokens.build import own_tokens
from doorward.features.services import Services


def authorize(services: Services) -> Authorize:
    """Whether an authorization request is one."""
    return Authorize(
        catalog=services.config,
        own_tokens=services.get(own_tokens),
        issuer=services.issuer,
        ignored_scopes=services.get(ignored_scopes),
    )
