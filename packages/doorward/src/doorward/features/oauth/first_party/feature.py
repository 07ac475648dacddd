"""What signing in by JSON and tokens in cookies add to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.route import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.oauth.first_party import challenge_routes, cookie_routes
    from doorward.features.oauth.first_party.build import challenge, cookie_session
    from doorward.features.sessions.build import cookie_jar

    return [
        *challenge_routes.routes(challenge=services.get(challenge)),
        *cookie_routes.routes(
            cookies=services.get(cookie_session),
            catalog=services.config,
            jar=services.get(cookie_jar),
            sealer=services.sealer,
            chance=services.random,
        ),
    ]


FIRST_PARTY = Feature(name="oauth.first_party", routes=_routes)
