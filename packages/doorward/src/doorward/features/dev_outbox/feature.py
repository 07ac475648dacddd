"""What development adds to the server: a page with the mail that was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.route import Route


def _routes(services: Services) -> Sequence[Route]:
    from doorward.features.dev_outbox import routes
    from doorward.features.dev_outbox.service import DevOutbox
    from doorward.features.repeated_posts.build import pages

    return routes.routes(
        development=services.development,
        pages=services.get(pages),
        outbox=DevOutbox(store=services.store, sealer=services.sealer),
        issuer=services.issuer,
    )


DEV_OUTBOX = Feature(name="dev_outbox", routes=_routes)
