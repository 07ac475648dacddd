"""Construction of the userinfo service."""

from __future__ import annotations

from doorward.features.clients.build import client_directory
from doorward.features.oauth.tokens.build import access_tokens
from doorward.features.oauth.userinfo.service import UserinfoService
from doorward.features.revocations.build import revocation_view
from doorward.features.services import Services


def userinfo(services: Services) -> UserinfoService:
    """The service that returns a person's claims to an app."""
    return UserinfoService(
        store=services.store,
        config=services.config,
        clients=services.get(client_directory),
        signer=services.signer,
        tokens=services.get(access_tokens),
        clock=services.clock,
        view=services.get(revocation_view),
        issuer=services.issuer,
    )
