"""Construction of the services for mailed codes and links."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.email_code.service import EmailChallenges
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services


def email_challenges(services: Services) -> EmailChallenges:
    """The service of codes and links that prove an address."""
    return EmailChallenges(
        store=services.store,
        random=services.random,
        sealer=services.sealer,
        mail_queue=services.mail,
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        policy=services.tickets,
        issuer=services.issuer,
    )
