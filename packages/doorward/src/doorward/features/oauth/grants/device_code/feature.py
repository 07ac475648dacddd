"""Device feature: the device authorization endpoint and its pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.authn.slots import GOALS
from doorward.features.feature import Feature, Routes, Services
from doorward.features.slots import ACTIVITY

if TYPE_CHECKING:
    from doorward.features.authn.flow.plug import GoalPlug
    from doorward.features.slots import ActivityKind


def _routes(services: Services) -> Routes:
    from doorward.features.authn.flow.build import flow_pages
    from doorward.features.oauth.grants.device_code import routes
    from doorward.features.oauth.grants.device_code.build import device_requests
    from doorward.features.oauth.grants.device_code.pages import DevicePages
    from doorward.features.repeated_posts.build import pages

    requests = services.get(device_requests)
    shown = DevicePages(flow=services.get(flow_pages), requests=requests)
    return [
        *routes.routes(requests=requests, clock=services.clock, issuer=services.issuer),
        *shown.routes(services.get(pages)),
    ]


def _goals(services: Services) -> Sequence[GoalPlug]:
    from doorward.core.model.request import DEVICE
    from doorward.features.authn.flow.plug import GoalPlug
    from doorward.features.oauth.grants.device_code.build import device_goals, device_requests
    from doorward.features.oauth.grants.device_code.pages import DeviceDecisionPages

    shown = DeviceDecisionPages(
        requests=services.get(device_requests), config=services.config, tokens=services.tokens
    )
    return (GoalPlug(DEVICE, services.get(device_goals), shown),)


def _activity(services: Services) -> Sequence[ActivityKind]:
    from doorward.features.oauth.grants.device_code.activity import ACTIVITY_KINDS

    del services
    return ACTIVITY_KINDS


DEVICES = Feature(
    name="oauth.grants.device_code",
    routes=_routes,
    adds=(GOALS.filled_by(_goals), ACTIVITY.filled_by(_activity)),
)
