"""Construction of client authentication."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.clients.build import client_directory
from doorward.features.oauth.client_auth.rules.credentials import CredentialReader
from doorward.features.oauth.client_auth.service import ClientAuthenticator
from doorward.features.oauth.client_auth.verified import VerifiedHeaders
from doorward.features.oauth.slots import CLIENT_AUTH
from doorward.features.rate_limits.build import client_failures
from doorward.features.services import Services


def client_authenticator(services: Services) -> ClientAuthenticator:
    """The authentication of the app that sent a request."""
    return ClientAuthenticator(
        reader=CredentialReader(methods=services.added(CLIENT_AUTH)),
        store=services.store,
        config=services.config,
        directory=services.get(client_directory),
        audit_log=services.get(audit_log),
        metrics=services.metrics,
        failures=services.get(client_failures),
        verified=VerifiedHeaders(),
        policy=services.tokens,
        issuer=services.issuer,
    )
