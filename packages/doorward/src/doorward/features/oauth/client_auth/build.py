"""How client authentication is built."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.oauth.client_auth.service import AuthenticateClient
from doorward.features.rate_limits.build import client_failures
from doorward.features.services import Services


def authenticate_client(services: Services) -> AuthenticateClient:
    """Which app sent a request."""
    return AuthenticateClient(
        store=services.store,
        catalog=services.config,
        record=services.get(audit_log),
        meter=services.metrics,
        failures=services.get(client_failures),
        policy=services.tokens,
        issuer=services.issuer,
    )
