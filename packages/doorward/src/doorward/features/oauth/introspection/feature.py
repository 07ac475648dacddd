"""What the introspection endpoint adds to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.route import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.oauth.introspection import routes
    from doorward.features.oauth.introspection.build import introspection

    return routes.routes(
        introspection=services.get(introspection), clock=services.clock, issuer=services.issuer
    )


INTROSPECTION = Feature(name="oauth.introspection", routes=_routes)
