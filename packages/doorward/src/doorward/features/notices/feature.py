"""Notices feature: the pages behind the link "This wasn't me", and their lines of the activity page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature, Routes, Services
from doorward.features.slots import ACTIVITY

if TYPE_CHECKING:
    from doorward.features.slots import ActivityKind


def _routes(services: Services) -> Routes:
    from doorward.features.notices.build import not_me_pages
    from doorward.features.repeated_posts.build import pages

    return services.get(not_me_pages).routes(services.get(pages))


def _activity(services: Services) -> Sequence[ActivityKind]:
    from doorward.features.notices.activity import ACTIVITY_KINDS

    del services
    return ACTIVITY_KINDS


async def _starting(services: Services) -> None:
    from doorward.features.notices.left_out import check

    check(services)


NOTICES = Feature(name="notices", routes=_routes, adds=(ACTIVITY.filled_by(_activity),), starting=_starting)
