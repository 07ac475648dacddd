"""Introspection feature."""

from __future__ import annotations

from doorward.features.feature import Feature, Routes, Services


def _routes(services: Services) -> Routes:
    from doorward.features.oauth.introspection import routes
    from doorward.features.oauth.introspection.build import introspection

    return routes.routes(
        introspection=services.get(introspection), clock=services.clock, issuer=services.issuer
    )


INTROSPECTION = Feature(name="oauth.introspection", routes=_routes)
