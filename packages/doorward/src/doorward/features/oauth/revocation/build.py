"""Construction of the revocation service."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.oauth.client_auth.build import client_authenticator
from doorward.features.oauth.revocation.service import RevocationService
from doorward.features.rate_limits.build import throttle
from doorward.features.revocations.build import revocation_view
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def revocation(services: Services) -> RevocationService:
    """The service that ends a token for its app."""
    return RevocationService(
        clients=services.get(client_authenticator),
        store=services.store,
        revoker=services.get(revoker),
        signer=services.signer,
        audit_log=services.get(audit_log),
        throttle=services.get(throttle),
        metrics=services.metrics,
        view=services.get(revocation_view),
        issuer=services.issuer,
    )
