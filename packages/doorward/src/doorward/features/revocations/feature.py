"""What the revocation feed adds to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.route import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.revocations import routes
    from doorward.features.revocations.build import revocation_feed, status_lists

    return routes.routes(feed=services.get(revocation_feed), lists=services.get(status_lists))


def _closing(services: Services) -> None:
    from doorward.features.revocations.build import news_watch

    services.get(news_watch).release()


REVOCATIONS = Feature(name="revocations", routes=_routes, closing=_closing)
