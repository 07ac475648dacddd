"""Accounts feature: sign-up, password reset, and the pages below /account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.authn.slots import RESETS, FinishedReset
from doorward.features.feature import Feature
from doorward.features.slots import ACTIVITY

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.features.slots import ActivityKind
    from doorward.web.route import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.accounts.activity import ActivityKinds
    from doorward.features.accounts.address_routes import AddressHandlers
    from doorward.features.accounts.build import (
        change_address,
        own_devices,
        reset_password,
        self_service,
        sign_up,
        verify_address,
    )
    from doorward.features.accounts.device_routes import DeviceHandlers
    from doorward.features.accounts.reset_routes import ResetPages
    from doorward.features.accounts.self_service_routes import AccountHandlers
    from doorward.features.accounts.sign_up_routes import SignUpPages
    from doorward.features.api_keys.build import own_keys
    from doorward.features.authn.email_challenges.build import email_challenges
    from doorward.features.authn.flow.build import flow_pages, signed_in_pages
    from doorward.features.authn.index import profile_offers
    from doorward.features.authn.methods.build import method_handlers
    from doorward.features.repeated_posts.build import pages

    page, flow, own = services.get(pages), services.get(flow_pages), services.get(signed_in_pages)
    tickets = services.get(email_challenges)
    joining = SignUpPages(
        flow=flow,
        email_challenges=tickets,
        sign_up=services.get(sign_up),
        verify=services.get(verify_address),
    )
    account = AccountHandlers(
        own=own,
        pages=services.get(self_service),
        config=services.config,
        tokens=services.tokens,
        activity_kinds=ActivityKinds(services.added(ACTIVITY)),
        keys=services.get(own_keys),
        offers=profile_offers(services),
        own_devices=services.get(own_devices),
    )
    return [
        *joining.routes(page),
        *ResetPages(flow=flow, email_challenges=tickets, reset=services.get(reset_password)).routes(page),
        *account.routes(),
        *DeviceHandlers(own=own, devices=services.get(own_devices)).routes(),
        *AddressHandlers(own=own, changing=services.get(change_address)).routes(),
        *services.get(method_handlers).routes(),
    ]


def _activity(services: Services) -> Sequence[ActivityKind]:
    from doorward.features.accounts.activity import ACTIVITY_KINDS

    del services
    return ACTIVITY_KINDS


def _resets(services: Services) -> Sequence[FinishedReset]:
    from doorward.features.authn.email_challenges.build import email_challenges

    return (services.get(email_challenges).finished_reset,)


ACCOUNTS = Feature(
    name="accounts", routes=_routes, adds=(RESETS.filled_by(_resets), ACTIVITY.filled_by(_activity))
)
