"""Revocation feature: the feed."""

from __future__ import annotations

from contextlib import suppress

from doorward.features.feature import Feature, Routes, Services


def _routes(services: Services) -> Routes:
    from doorward.features.revocations import routes
    from doorward.features.revocations.build import revocation_feed

    return routes.routes(feed=services.get(revocation_feed))


async def _starting(services: Services) -> None:
    from doorward.core.errors import StoreUnavailable
    from doorward.features.revocations.build import revocation_feed, revocation_view

    # A database that does not answer now is the matter of the first request.
    with suppress(StoreUnavailable):
        await services.get(revocation_feed).load()
        await services.get(revocation_view).fresh(services.clock.now())


def _closing(services: Services) -> None:
    from doorward.features.revocations.build import news_watch

    services.get(news_watch).release()


REVOCATIONS = Feature(name="revocations", routes=_routes, starting=_starting, closing=_closing)
