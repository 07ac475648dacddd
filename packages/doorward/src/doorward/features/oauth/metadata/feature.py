"""What the server says of itself: discovery documents and public keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature
from doorward.features.oauth.slots import CLIENT_AUTH, GRANTS

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.route import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.oauth.metadata import routes
    from doorward.web.pages import language

    return routes.routes(
        issuer=services.issuer,
        locales=tuple(language.LOCALES),
        grant_types=[grant_type.name for grant_type in services.added(GRANTS)],
        client_auth=services.added(CLIENT_AUTH),
        signer=services.signer,
    )


METADATA = Feature(name="oauth.metadata", routes=_routes)
