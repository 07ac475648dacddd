"""Construction of the services for mailed codes and links."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.email_code.service import Tickets
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services


def email_challenges(services: Services) -> Tickets:
    """The service of codes and links that prove an address."""
    return Tickets(
        store=services.store,
        chance=services.random,
        sealer=services.sealer,
        postman=services.mail,
        throttle=services.get(throttle),
        record=services.get(audit_log),
        policy=services.tickets,
        issuer=services.issuer,
    )
