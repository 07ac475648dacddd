"""What the authorization endpoint and the consent page add to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.http import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.authn.flow.build import steps
    from doorward.features.oauth.authorize import routes
    from doorward.features.oauth.authorize.build import authorize
    from doorward.features.oauth.consent.build import answer_consent
    from doorward.features.sessions.build import browser_contexts

    return routes.routes(
        visitors=services.get(browser_contexts),
        steps=services.get(steps),
        authorize=services.get(authorize),
        answer=services.get(answer_consent),
        sealer=services.sealer,
    )


AUTHORIZE = Feature(name="oauth.authorize", routes=_routes)
