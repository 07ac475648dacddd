"""What signing in adds to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.route import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.authn.build import prove_second_factor
    from doorward.features.authn.factors.email_code.build import email_challenges
    from doorward.features.authn.factors.password import routes
    from doorward.features.authn.factors.password.build import prove_password
    from doorward.features.authn.flow.build import flow_pages
    from doorward.features.repeated_posts.build import pages

    return routes.routes(
        pages=services.get(pages),
        flow=services.get(flow_pages),
        tickets=services.get(email_challenges),
        prove_password=services.get(prove_password),
        prove_second_factor=services.get(prove_second_factor),
    )


AUTHN = Feature(name="authn", routes=_routes)
