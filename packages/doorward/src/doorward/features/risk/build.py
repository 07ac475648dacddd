"""Construction of the risk services."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.places.build import places
from doorward.features.rate_limits.build import throttle
from doorward.features.risk.family_watch import FamilyWatch
from doorward.features.risk.service import RiskCheck
from doorward.features.risk.settings import RiskPolicy
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def family_watch(services: Services) -> FamilyWatch:
    """The watch over the networks from which apps' tokens are used."""
    return FamilyWatch(
        store=services.store,
        clock=services.clock,
        places=services.get(places),
        policy=services.sections.of(RiskPolicy),
        audit_log=services.get(audit_log),
        revoker=services.get(revoker),
    )


def risk_check(services: Services) -> RiskCheck:
    """The judge of sign-ins."""
    return RiskCheck(
        store=services.store,
        policy=services.sections.of(RiskPolicy),
        places=services.get(places),
        throttle=services.get(throttle),
        revoker=services.get(revoker),
        audit_log=services.get(audit_log),
    )
