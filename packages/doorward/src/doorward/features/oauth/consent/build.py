"""Construction of the consent service."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.flow.build import advance
from doorward.features.oauth.consent.service import AnswerConsent
from doorward.features.services import Services


def answer_consent(services: Services) -> AnswerConsent:
    """The service that stores a person's consent decision."""
    return AnswerConsent(
        store=services.store,
        audit_log=services.get(audit_log),
        mail_queue=services.mail,
        sign_in_flow=services.get(advance),
    )
