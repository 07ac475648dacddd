"""Construction of the page pipeline, with the boundary against repeated posts."""

from __future__ import annotations

from urllib.parse import urlsplit

from doorward.features.rate_limits.rules.sign_in_starts import PER_GUESS, SignInRateLimiter
from doorward.features.repeated_posts.boundary import Once
from doorward.features.repeated_posts.service import PostOnce
from doorward.features.services import Services
from doorward.features.sessions.browser_context import BrowserPages
from doorward.features.sessions.build import browser_contexts, cookie_jar, form_guard, status_pages
from doorward.web.page_pipeline import Pages, RepeatedPosts
from doorward.web.right_host import RightHost


def post_boundary(services: Services) -> RepeatedPosts:
    """The boundary that gives a double click one response."""
    return Once(
        jar=services.get(cookie_jar),
        sealer=services.sealer,
        posts=PostOnce(
            store=services.store,
            sealer=services.sealer,
            clock=services.clock,
            sessions=services.sessions,
            limiter=SignInRateLimiter(limit=services.throttle.per_address * PER_GUESS),
        ),
    )


def pages(services: Services) -> BrowserPages:
    """The factory of page routes."""
    return Pages(
        browsers=services.get(browser_contexts),
        guard=services.get(form_guard),
        repeated=services.get(post_boundary),
        host=RightHost(
            pages=services.get(status_pages),
            origin=services.origin,
            prefix=urlsplit(services.issuer).path.rstrip("/"),
            development=services.development,
        ),
    )
