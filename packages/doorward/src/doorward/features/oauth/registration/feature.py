"""Registration feature: the registration endpoint, and the apps that came by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from doorward.features.clients.slots import CLIENT_SOURCES
from doorward.features.feature import DoctorCheck, Feature, Routes, Services
from doorward.features.oauth.slots import SERVER_METADATA

if TYPE_CHECKING:
    from doorward.features.clients.slots import ClientSource


def _on(services: Services) -> bool:
    from doorward.features.oauth.registration.settings import RegistrationPolicy

    return services.sections.of(RegistrationPolicy).mode != "off"


def _routes(services: Services) -> Routes:
    from doorward.features.oauth.registration import routes
    from doorward.features.oauth.registration.build import registration

    if not _on(services):
        return ()
    return routes.routes(services.get(registration), clock=services.clock)


def _source(services: Services) -> Sequence[ClientSource]:
    from doorward.features.oauth.registration.build import registered_apps

    # apps that are registered go on when no more may register
    return (services.get(registered_apps),)


def _metadata(services: Services) -> Sequence[Mapping[str, Any]]:
    return ({"registration_endpoint": f"{services.issuer}/register"},) if _on(services) else ()


def _checks() -> Sequence[DoctorCheck]:
    from doorward.features.oauth.registration.examine import apps_by_themselves

    return (DoctorCheck(name="apps by themselves", look=apps_by_themselves),)


REGISTRATION = Feature(
    name="oauth.registration",
    routes=_routes,
    checks=_checks,
    adds=(CLIENT_SOURCES.filled_by(_source), SERVER_METADATA.filled_by(_metadata)),
)
