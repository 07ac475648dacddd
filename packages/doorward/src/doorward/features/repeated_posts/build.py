"""How the boundary against repeated posts is built."""

from __future__ import annotations

from doorward.features.rate_limits.rules.sign_in_starts import PER_GUESS, Begun
from doorward.features.repeated_posts.boundary import Once
from doorward.features.repeated_posts.service import PostOnce
from doorward.features.services import Services
from doorward.features.sessions.build import browser_contexts


def post_boundary(services: Services) -> Once:
    """One answer to a double click."""
    return Once(
        visitors=services.get(browser_contexts),
        sealer=services.sealer,
        posts=PostOnce(
            store=services.store,
            sealer=services.sealer,
            clock=services.clock,
            sessions=services.sessions,
        ),
        posts_of=Begun(limit=services.throttle.per_address * PER_GUESS),
    )
