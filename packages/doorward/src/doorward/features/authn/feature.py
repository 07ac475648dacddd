"""Authentication feature: routes of the sign-in, and what the folders of factors add."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.authn.slots import DOMAINS, FACTORS, PASSWORD_SOURCES, REMEMBERED
from doorward.features.feature import Feature
from doorward.features.slots import ACTIVITY, CREDENTIAL_TYPES, DONE, MESSAGES, OUTBOXES

if TYPE_CHECKING:
    from doorward.features.authn.flow.password_source import PasswordSource
    from doorward.features.authn.flow.plug import FactorParts, FactorPlug
    from doorward.features.authn.flow.remembered import RememberedDevices
    from doorward.features.authn.flow.rules.routing import DomainRoutes
    from doorward.features.services import Services
    from doorward.features.slots import ActivityKind
    from doorward.web.mail.message import MessageTemplate
    from doorward.web.route import Route


def _parts() -> Sequence[FactorParts]:
    from doorward.features.authn import index

    return index.FACTORS


def _factors(services: Services) -> Sequence[FactorPlug]:
    from doorward.features.authn.index import factors

    return factors(services)


def _remembered(services: Services) -> Sequence[RememberedDevices]:
    from doorward.features.authn.trusted_device.build import trusted_devices

    return (services.get(trusted_devices),)


def _domains(services: Services) -> Sequence[DomainRoutes]:
    from doorward.features.authn.providers.build import domain_routes

    return (domain_routes(services),)


def _sources(services: Services) -> Sequence[PasswordSource]:
    return [one for parts in _parts() if parts.sources for one in parts.sources(services)]


def _messages(services: Services) -> Sequence[type[MessageTemplate]]:
    from doorward.features.authn import index

    del services
    return index.MESSAGES


def _activity(services: Services) -> Sequence[ActivityKind]:
    from doorward.features.authn import index

    del services
    return index.ACTIVITY


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.authn import index
    from doorward.features.authn.addresses.build import prove_address
    from doorward.features.authn.addresses.routes import AddressPages
    from doorward.features.authn.flow.build import (
        factor_plugs,
        flow_pages,
        new_factors,
        prove_typed_code,
        send_code,
        signed_in_pages,
    )
    from doorward.features.authn.flow.enrolment_choice import EnrolmentChoicePage
    from doorward.features.authn.flow.sent_code_page import SentCodePages
    from doorward.features.authn.flow.typed_code_routes import TypedCodePage
    from doorward.features.authn.methods.build import enrolment_pages
    from doorward.features.authn.trusted_device.build import trusted_devices
    from doorward.features.authn.trusted_device.routes import TrustedDevicePages
    from doorward.features.repeated_posts.build import pages

    page, flow = services.get(pages), services.get(flow_pages)
    sent = SentCodePages(flow=flow, send_code=services.get(send_code))
    typed = TypedCodePage(flow=flow, prove_code=services.get(prove_typed_code), sent=sent)
    kinds, enrolling = index.enrolments(services), services.get(enrolment_pages)
    devices = TrustedDevicePages(own=services.get(signed_in_pages), devices=services.get(trusted_devices))
    choice = EnrolmentChoicePage(
        flow=flow, store=services.store, gate=services.get(new_factors), enrolments=kinds
    )
    return [
        *choice.routes(page),
        *(route for one in kinds for route in one.routes(enrolling)),
        *(route for plug in services.get(factor_plugs) for route in plug.routes(page, flow)),
        *typed.routes(page),
        *AddressPages(flow=flow, addresses=services.get(prove_address)).routes(page),
        *(
            route
            for parts in index.FACTORS
            if parts.routes is not None
            for route in parts.routes(services, enrolling)
        ),
        *devices.routes(),
    ]


async def _starting(services: Services) -> None:
    for parts in _parts():
        if parts.starting is not None:
            await parts.starting(services)


AUTHN = Feature(
    name="authn",
    routes=_routes,
    jobs=lambda services: [job for parts in _parts() if parts.jobs for job in parts.jobs(services)],
    adds=(
        FACTORS.filled_by(_factors),
        REMEMBERED.filled_by(_remembered),
        DOMAINS.filled_by(_domains),
        PASSWORD_SOURCES.filled_by(_sources),
        MESSAGES.filled_by(_messages),
        ACTIVITY.filled_by(_activity),
        CREDENTIAL_TYPES.filled_by(lambda _: [pair for parts in _parts() for pair in parts.credential_types]),
        DONE.filled_by(lambda _: [parts.done for parts in _parts() if parts.done]),
        OUTBOXES.filled_by(lambda services: [parts.kept(services) for parts in _parts() if parts.kept]),
    ),
    checks=lambda: [check for parts in _parts() for check in parts.checks],
    starting=_starting,
)
