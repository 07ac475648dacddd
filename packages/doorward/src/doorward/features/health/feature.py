"""Health feature: home page, static files, health checks and metrics."""

from __future__ import annotations

from doorward.features.feature import Feature, Routes, Services


def _routes(services: Services) -> Routes:
    from doorward.features.health import routes
    from doorward.features.health.service import readiness
    from doorward.features.repeated_posts.build import pages

    found = routes.routes(
        pages=services.get(pages),
        readiness=lambda: readiness(services.store, services.signer),
    )
    if services.metrics_token is not None:
        found.append(routes.metrics_route(token=services.metrics_token, metrics=services.metrics))
    return found


HEALTH = Feature(name="health", routes=_routes)
