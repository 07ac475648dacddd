"""API key feature: the account pages, the warnings before an expiry, and the writing of last uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import BackgroundJob, Feature, Jobs, Routes, Services
from doorward.features.slots import ACTIVITY, DONE, MESSAGES

if TYPE_CHECKING:
    from doorward.features.slots import ActivityKind
    from doorward.web.mail.message import MessageTemplate
    from doorward.web.pages.views.said import Said

WRITE_USES = 15.0
LOOK_FOR_EXPIRIES = 900.0


def _routes(services: Services) -> Routes:
    from doorward.features.api_keys.build import api_key_pages

    return services.get(api_key_pages).routes()


def _jobs(services: Services) -> Jobs:
    from doorward.adapters.background import every
    from doorward.features.api_keys.build import last_use, warnings

    uses, expiries = services.get(last_use), services.get(warnings)

    async def write_uses() -> None:
        await uses.flush(services.clock)

    async def warn() -> None:
        await expiries.send()

    return [
        BackgroundJob(
            name="uses of API keys", run=lambda: every(WRITE_USES, write_uses, name="uses of API keys")
        ),
        BackgroundJob(
            name="expiry of API keys", run=lambda: every(LOOK_FOR_EXPIRIES, warn, name="expiry of API keys")
        ),
    ]


def _messages(services: Services) -> Sequence[type[MessageTemplate]]:
    from doorward.features.api_keys import messages

    del services
    return messages.MESSAGES


def _activity(services: Services) -> Sequence[ActivityKind]:
    from doorward.features.api_keys.activity import ACTIVITY_KINDS

    del services
    return ACTIVITY_KINDS


def _done(services: Services) -> Sequence[type[Said]]:
    from doorward.features.api_keys.views import ApiKeyDone

    del services
    return (ApiKeyDone,)


API_KEYS = Feature(
    name="api_keys",
    routes=_routes,
    jobs=_jobs,
    adds=(MESSAGES.filled_by(_messages), ACTIVITY.filled_by(_activity), DONE.filled_by(_done)),
)
