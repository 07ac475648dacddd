"""How the consent page's service is built."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.flow.build import advance
from doorward.features.oauth.consent.service import AnswerConsent
from doorward.features.services import Services


def answer_consent(services: Services) -> AnswerConsent:
    """What a person allows an app."""
    return AnswerConsent(store=services.store, record=services.get(audit_log), advance=services.get(advance))
