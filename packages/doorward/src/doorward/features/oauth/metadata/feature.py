"""What the server says of itself: discovery documents and public keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.route import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.oauth.metadata import routes
    from doorward.web.pages import language

    return routes.routes(issuer=services.issuer, locales=tuple(language.LOCALES), signer=services.signer)


METADATA = Feature(name="oauth.metadata", routes=_routes)
