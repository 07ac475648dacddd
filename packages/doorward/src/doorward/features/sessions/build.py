"""How the services of browser sessions are built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.sessions.ending import Ending

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.features.sessions.browser_context import Visitors
    from doorward.web.cookies import CookieJar


def revoker(services: Services) -> Ending:
    """What ends grants, sessions, people and apps, as writes for the commits of others."""
    return Ending(
        store=services.store, chance=services.random, catalog=services.config, policy=services.tokens
    )


def cookie_jar(services: Services) -> CookieJar:
    """The names of this server's cookies."""
    from doorward.web.cookies import CookieJar

    return CookieJar.of(services.issuer)


def browser_contexts(services: Services) -> Visitors:
    """Who is behind a page's request."""
    # imported here: commands end sessions too, and load no pages
    from doorward.features.sessions.browser_context import Visitors

    return Visitors(
        store=services.store,
        sealer=services.sealer,
        chance=services.random,
        clock=services.clock,
        policy=services.sessions,
        jar=services.get(cookie_jar),
        issuer=services.issuer,
        origin=services.origin,
        brand_name=services.brand_name,
        default_locale=services.default_locale,
        development=services.development,
    )
