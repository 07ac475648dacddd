"""What the userinfo endpoint adds to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.route import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.oauth.userinfo import routes
    from doorward.features.oauth.userinfo.build import userinfo

    return routes.routes(userinfo=services.get(userinfo))


USERINFO = Feature(name="oauth.userinfo", routes=_routes)
