"""The revocation view as of this moment, in memory, brought up to date with one cheap read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from doorward.core.model.revocation import beside, same_history
from doorward.features.revocations.rules.pages import PAGE, FeedPages
from doorward.features.revocations.rules.view import View
from doorward.storage.sql.store import Store

_FORGET_EVERY = 60

V = TypeVar("V", View, FeedPages)


async def caught_up(store: Store, view: V, empty: Callable[[], V], newest: int, now: int) -> V:
    """The view with everything up to `newest`. In pieces, so that others are answered between them."""
    while newest != view.seq:
        if newest < view.seq or not same_history(newest, view.seq):
            # Another database than a moment ago (restored from a backup, or a standby that lacked the last commits): nothing
            # that was learnt may stay or be missed.
            view = empty()
        asked = view.seq
        newest, entries = await store.revocations.since(asked, now, limit=PAGE)
        if asked == 0 or same_history(newest, asked):
            full = len(entries) == PAGE
            view.feed(beside(newest, entries[-1].seq) if full else newest, entries)
    return view


@dataclass(slots=True, kw_only=True)
class RevocationView:
    """Holds the entries of this process; what another process wrote is there at the next question."""

    store: Store
    _view: View = field(default_factory=View)
    _forgotten_at: int = 0
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def fresh(self, now: int) -> View:
        """The view with everything that was committed before this call."""
        if await self.store.revocations.newest() != self._view.seq:
            # One at a time: who came second would take the number that it read before for another database, and read all anew.
            async with self._loading:
                newest = await self.store.revocations.newest()
                self._view = await caught_up(self.store, self._view, View, newest, now)
        if now - self._forgotten_at >= _FORGET_EVERY:
            self._view.forget(now)
            self._forgotten_at = now
        return self._view
