"""Construction of the registration services."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.oauth.registration.service import RegisteredApps, Registration
from doorward.features.oauth.registration.settings import RegistrationPolicy
from doorward.features.rate_limits.build import client_failures, throttle
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def registered_apps(services: Services) -> RegisteredApps:
    """The source of apps that registered themselves."""
    return RegisteredApps(store=services.store)


def registration(services: Services) -> Registration:
    """The service of the registration endpoint."""
    return Registration(
        store=services.store,
        config=services.config,
        clock=services.clock,
        random=services.random,
        audit_log=services.get(audit_log),
        metrics=services.metrics,
        throttle=services.get(throttle),
        failures=services.get(client_failures),
        revoker=services.get(revoker),
        policy=services.sections.of(RegistrationPolicy),
        issuer=services.issuer,
    )
