"""Construction of the client-ID metadata documents."""

from __future__ import annotations

from doorward.adapters.http_client import http_for_documents
from doorward.features.audit.build import audit_log
from doorward.features.oauth.client_documents.service import ClientDocuments
from doorward.features.oauth.client_documents.settings import ClientDocumentPolicy
from doorward.features.oauth.registration.settings import RegistrationPolicy
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services

TIMEOUT = 5.0
"""Seconds for a whole call: somebody waits for the page."""


def client_documents(services: Services) -> ClientDocuments:
    """The source of apps by their documents."""
    policy = services.sections.of(ClientDocumentPolicy)
    return ClientDocuments(
        store=services.store,
        # a `client_id` is always https, also in development
        http=http_for_documents(
            policy.private_hosts, timeout=TIMEOUT, development=False, ca_file=services.ca_file
        ),
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        metrics=services.metrics,
        policy=policy,
        private_schemes=services.sections.of(RegistrationPolicy).private_schemes,
    )
