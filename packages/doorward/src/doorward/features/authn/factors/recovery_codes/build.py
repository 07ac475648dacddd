"""Construction of the services for recovery codes."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.recovery_codes.owning import OwnRecoveryCodes
from doorward.features.authn.factors.recovery_codes.routes import RecoveryCodesForm
from doorward.features.authn.flow.enrolment import EnrolmentPages
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services
from doorward.web.route import Route


def own_recovery_codes(services: Services) -> OwnRecoveryCodes:
    """The service that makes recovery codes."""
    return OwnRecoveryCodes(
        store=services.store,
        random=services.random,
        mail_queue=services.mail,
        audit_log=services.get(audit_log),
        throttle=services.get(throttle),
    )


def recovery_routes(services: Services, pages: EnrolmentPages) -> Sequence[Route]:
    """The form that makes new ones."""
    return RecoveryCodesForm(codes=services.get(own_recovery_codes), pages=pages).routes()
