"""Authentication feature: routes of the sign-in, and what the folders of factors add."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.authn.slots import FACTORS
from doorward.features.feature import BackgroundJob, DoctorCheck, Feature
from doorward.features.slots import DONE, MESSAGES, OUTBOXES, Kept

if TYPE_CHECKING:
    from doorward.features.authn.flow.plug import FactorPlug
    from doorward.features.services import Services
    from doorward.web.mail.message import MessageTemplate
    from doorward.web.pages.views.said import Said
    from doorward.web.route import Route


def _factors(services: Services) -> Sequence[FactorPlug]:
    from doorward.features.authn.index import factors

    return factors(services)


def _messages(services: Services) -> Sequence[type[MessageTemplate]]:
    from doorward.features.authn import index

    del services
    return index.MESSAGES


def _done(services: Services) -> Sequence[type[Said]]:
    from doorward.features.authn import index

    del services
    return [parts.done for parts in index.FACTORS if parts.done is not None]


def _kept(services: Services) -> Sequence[Kept]:
    from doorward.features.authn import index

    return [parts.kept(services) for parts in index.FACTORS if parts.kept is not None]


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.authn import index
    from doorward.features.authn.flow.build import (
        factor_plugs,
        flow_pages,
        new_factors,
        prove_typed_code,
        send_code,
    )
    from doorward.features.authn.flow.enrolment_choice import EnrolmentChoicePage
    from doorward.features.authn.flow.sent_code_page import SentCodePages
    from doorward.features.authn.flow.typed_code_routes import TypedCodePage
    from doorward.features.authn.methods.build import enrolment_pages
    from doorward.features.repeated_posts.build import pages

    page, flow = services.get(pages), services.get(flow_pages)
    sent = SentCodePages(flow=flow, send_code=services.get(send_code))
    typed = TypedCodePage(flow=flow, prove_code=services.get(prove_typed_code), sent=sent)
    kinds, enrolling = index.enrolments(services), services.get(enrolment_pages)
    choice = EnrolmentChoicePage(
        flow=flow, store=services.store, gate=services.get(new_factors), enrolments=kinds
    )
    return [
        *choice.routes(page),
        *(route for one in kinds for route in one.routes(enrolling)),
        *(route for plug in services.get(factor_plugs) for route in plug.routes(page, flow)),
        *typed.routes(page),
        *(route for parts in index.FACTORS if parts.routes is not None for route in parts.routes(services)),
    ]


def _jobs(services: Services) -> Sequence[BackgroundJob]:
    from doorward.features.authn import index

    return [job for parts in index.FACTORS if parts.jobs is not None for job in parts.jobs(services)]


def _checks() -> Sequence[DoctorCheck]:
    from doorward.features.authn import index

    return [check for parts in index.FACTORS for check in parts.checks]


async def _starting(services: Services) -> None:
    from doorward.features.authn import index

    for parts in index.FACTORS:
        if parts.starting is not None:
            await parts.starting(services)


AUTHN = Feature(
    name="authn",
    routes=_routes,
    jobs=_jobs,
    adds=(
        FACTORS.filled_by(_factors),
        MESSAGES.filled_by(_messages),
        DONE.filled_by(_done),
        OUTBOXES.filled_by(_kept),
    ),
    checks=_checks,
    starting=_starting,
)
