"""Construction of the revocation view and feed."""

from __future__ import annotations

from doorward.features.revocations.feed import RevocationFeed, Watch
from doorward.features.revocations.snapshots import Snapshots
from doorward.features.revocations.view_service import ServerRevocationView
from doorward.features.services import Services


def revocation_view(services: Services) -> ServerRevocationView:
    """The current revocations, in memory."""
    return ServerRevocationView(store=services.store)


def news_watch(services: Services) -> Watch:
    """The watch that wakes long-polling requests at a new entry."""
    return Watch(store=services.store, notifier=services.notifier)


def revocation_feed(services: Services) -> RevocationFeed:
    """The feed for APIs."""
    return RevocationFeed(
        store=services.store,
        random=services.random,
        clock=services.clock,
        watch=services.get(news_watch),
        sealer=services.sealer,
        snapshots=Snapshots(clock=services.clock, signer=services.signer, issuer=services.issuer),
    )
