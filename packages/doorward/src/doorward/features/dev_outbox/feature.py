"""Development outbox feature: a page with the mails that the server wrote."""

from __future__ import annotations

from doorward.features.feature import Feature, Routes, Services
from doorward.features.slots import OUTBOXES


def _routes(services: Services) -> Routes:
    from doorward.features.dev_outbox import routes
    from doorward.features.dev_outbox.service import recent
    from doorward.features.repeated_posts.build import pages

    return routes.routes(
        development=services.development,
        pages=services.get(pages),
        recent=lambda most: recent(services.store, services.sealer, services.added(OUTBOXES), most),
        issuer=services.issuer,
    )


DEV_OUTBOX = Feature(name="dev_outbox", routes=_routes)
