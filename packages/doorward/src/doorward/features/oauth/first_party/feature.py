"""First-party feature: JSON sign-in, and tokens in cookies."""

from __future__ import annotations

from doorward.features.feature import Feature, Routes, Services


def _routes(services: Services) -> Routes:
    from doorward.features.oauth.first_party.build import challenge, cookie_session
    from doorward.features.oauth.first_party.challenge_routes import ChallengeEndpoint
    from doorward.features.oauth.first_party.cookie_routes import CookieEndpoints
    from doorward.features.sessions.build import cookie_jar

    cookies = CookieEndpoints(
        cookies=services.get(cookie_session),
        config=services.config,
        jar=services.get(cookie_jar),
        sealer=services.sealer,
        random=services.random,
    )
    return [*ChallengeEndpoint(challenge=services.get(challenge)).routes(), *cookies.routes()]


FIRST_PARTY = Feature(name="oauth.first_party", routes=_routes)
