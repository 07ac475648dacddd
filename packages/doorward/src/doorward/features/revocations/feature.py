"""Revocation feature: the feed."""

from __future__ import annotations

from doorward.features.feature import Feature, Routes, Services


def _routes(services: Services) -> Routes:
    from doorward.features.revocations import routes
    from doorward.features.revocations.build import revocation_feed

    return routes.routes(feed=services.get(revocation_feed))


def _closing(services: Services) -> None:
    from doorward.features.revocations.build import news_watch

    services.get(news_watch).release()


REVOCATIONS = Feature(name="revocations", routes=_routes, closing=_closing)
