"""Construction of the session services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.sessions.revoker import Revoker

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.features.sessions.browser_context import BrowserContexts
    from doorward.features.sessions.details import SessionReader
    from doorward.features.sessions.service import Sessions
    from doorward.web.cookies import CookieJar
    from doorward.web.csrf import FormGuard
    from doorward.web.error_pages import StatusPages


def revoker(services: Services) -> Revoker:
    """The builder of writes that end grants, sessions, accounts and apps, for the commits of other services."""
    return Revoker(
        store=services.store, random=services.random, config=services.config, policy=services.tokens
    )


def cookie_jar(services: Services) -> CookieJar:
    """The names of this server's cookies."""
    from doorward.web.cookies import CookieJar

    return CookieJar.of(services.issuer)


def status_pages(services: Services) -> StatusPages:
    """The error pages of requests without a handler."""
    from doorward.web.error_pages import StatusPages

    return StatusPages(
        jar=services.get(cookie_jar),
        issuer=services.issuer,
        brand_name=services.brand_name,
        default_locale=services.default_locale,
    )


def live_sessions(services: Services) -> Sessions:
    """The reader of live sessions."""
    from doorward.features.sessions.service import Sessions

    return Sessions(store=services.store, policy=services.sessions)


def session_reader(services: Services) -> SessionReader:
    """The reader of what is behind sessions."""
    from doorward.features.places.build import places
    from doorward.features.sessions.details import SessionReader

    return SessionReader(store=services.store, places=services.get(places))


def form_guard(services: Services) -> FormGuard:
    """The CSRF check of forms."""
    from doorward.web.csrf import FormGuard

    return FormGuard(sealer=services.sealer, origin=services.origin)


def browser_contexts(services: Services) -> BrowserContexts:
    """The reader of browsers and their sessions."""
    # imported here: commands end sessions too, but load no pages
    from doorward.features.sessions.browser_context import BrowserContexts
    from doorward.web.browser import Browsers

    browsers = Browsers(
        guard=services.get(form_guard),
        random=services.random,
        clock=services.clock,
        jar=services.get(cookie_jar),
        issuer=services.issuer,
        brand_name=services.brand_name,
        default_locale=services.default_locale,
        development=services.development,
    )
    return BrowserContexts(browsers=browsers, sessions=services.get(live_sessions))
