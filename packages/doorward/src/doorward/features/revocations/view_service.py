"""Current revocation view in memory, updated with one cheap read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct, field

from doorward.core.model.revocation import beside, same_history
from doorward.features.revocations.rules.pages import PAGE, FeedPages
from doorward.features.revocations.rules.view import RevocationEntries
from doorward.storage.sql.store import Store

_FORGET_EVERY = 60

V = TypeVar("V", RevocationEntries, FeedPages)


async def caught_up(store: Store, view: V, empty: Callable[[], V], newest: int, now: int) -> V:
    """The view with everything up to `newest`. Read in parts, so that other requests run in between."""
    while newest != view.seq:
        if newest < view.seq or not same_history(newest, view.seq):
            # A different database than before (restored from a backup, or a standby that lacked the last commits): old entries must be
            # dropped, and none may be missed.
            view = empty()
        asked = view.seq
        newest, entries = await store.revocations.since(asked, now, limit=PAGE)
        if asked == 0 or same_history(newest, asked):
            full = len(entries) == PAGE
            view.feed(beside(newest, entries[-1].seq) if full else newest, entries)
    return view


class ServerRevocationView(Struct, kw_only=True):
    """Holds the entries of this process; entries written by other processes are read at the next call."""

    store: Store
    _view: RevocationEntries = field(default_factory=RevocationEntries)
    _forgotten_at: int = 0
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def fresh(self, now: int) -> RevocationEntries:
        """The view with everything committed before this call."""
        if await self.store.revocations.newest() != self._view.seq:
            # One at a time: otherwise the second would take its outdated number for another database, and read everything again.
            async with self._loading:
                newest = await self.store.revocations.newest()
                self._view = await caught_up(self.store, self._view, RevocationEntries, newest, now)
        if now - self._forgotten_at >= _FORGET_EVERY:
            self._view.forget(now)
            self._forgotten_at = now
        return self._view
