"""Revocation feature."""

from __future__ import annotations

from doorward.features.feature import Feature, Routes, Services


def _routes(services: Services) -> Routes:
    from doorward.features.oauth.revocation import routes
    from doorward.features.oauth.revocation.build import revocation

    return routes.routes(revocation=services.get(revocation), clock=services.clock, issuer=services.issuer)


REVOCATION = Feature(name="oauth.revocation", routes=_routes)
