"""Metadata feature: discovery documents and public keys."""

from __future__ import annotations

from doorward.features.feature import Feature, Routes, Services
from doorward.features.oauth.slots import CLIENT_AUTH, GRANTS, SERVER_METADATA


def _routes(services: Services) -> Routes:
    from doorward.features.authn.flow.build import offered_factors
    from doorward.features.authn.flow.rules.assurance import attainable
    from doorward.features.oauth.metadata import routes
    from doorward.web.pages import language

    return routes.routes(
        issuer=services.issuer,
        locales=tuple(language.LOCALES),
        grant_types=services.added(GRANTS),
        client_auth=services.added(CLIENT_AUTH),
        levels=attainable(services.get(offered_factors).traits),
        signer=services.signer,
        more=services.added(SERVER_METADATA),
    )


METADATA = Feature(name="oauth.metadata", routes=_routes)
