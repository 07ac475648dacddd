"""What the token endpoint adds to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.route import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.oauth.token import routes
    from doorward.features.oauth.token.build import exchange_token

    return routes.routes(exchange=services.get(exchange_token))


TOKEN = Feature(name="oauth.token", routes=_routes)
