"""What the revocation endpoint adds to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.route import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.oauth.revocation import routes
    from doorward.features.oauth.revocation.build import revocation

    return routes.routes(revocation=services.get(revocation), clock=services.clock, issuer=services.issuer)


REVOCATION = Feature(name="oauth.revocation", routes=_routes)
