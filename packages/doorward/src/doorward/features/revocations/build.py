"""How the services of the revocation view and feed are built."""

from __future__ import annotations

from doorward.features.revocations.feed import RevocationFeed, Watch
from doorward.features.revocations.status_list import StatusList
from doorward.features.revocations.view_service import RevocationView
from doorward.features.services import Services


def revocation_view(services: Services) -> RevocationView:
    """What is revoked as of this moment, in memory."""
    return RevocationView(store=services.store)


def news_watch(services: Services) -> Watch:
    """What wakes requests that wait for the next entry."""
    return Watch(store=services.store, bell=services.notifier)


def revocation_feed(services: Services) -> RevocationFeed:
    """What APIs are told."""
    return RevocationFeed(
        store=services.store,
        chance=services.random,
        clock=services.clock,
        watch=services.get(news_watch),
        sealer=services.sealer,
    )


def status_lists(services: Services) -> StatusList:
    """The same as signed status lists."""
    return StatusList(
        store=services.store,
        catalog=services.config,
        signer=services.signer,
        clock=services.clock,
        policy=services.tokens,
        issuer=services.issuer,
    )
