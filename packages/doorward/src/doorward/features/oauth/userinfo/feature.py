"""Userinfo feature."""

from __future__ import annotations

from doorward.features.feature import Feature, Routes, Services


def _routes(services: Services) -> Routes:
    from doorward.features.oauth.userinfo import routes
    from doorward.features.oauth.userinfo.build import userinfo

    return routes.routes(userinfo=services.get(userinfo))


USERINFO = Feature(name="oauth.userinfo", routes=_routes)
