"""The revocation view as of this moment, in memory, brought up to date with one cheap read."""

from __future__ import annotations

from dataclasses import dataclass, field

from doorward.model.revocation import same_history
from doorward.ports.store import Store
from doorward.rules.revoke.view import View

_FORGET_EVERY = 60


@dataclass(slots=True)
class RevocationView:
    """Holds the entries of this process; what another process wrote is there at the next question."""

    store: Store
    _view: View = field(default_factory=View)
    _forgotten_at: int = 0

    async def fresh(self, now: int) -> View:
        """The view with everything that was committed before this call."""
        newest = await self.store.revocations.newest()
        view = self._view
        while newest != view.seq:
            if newest < view.seq or not same_history(newest, view.seq):
                # Another database than a moment ago (restored from a backup, or a standby that lacked the last commits): nothing
                # that was learnt may stay or be missed.
                view = self._view = View()
            asked = view.seq
            newest, entries = await self.store.revocations.since(asked, now)
            if asked == 0 or same_history(newest, asked):
                view.feed(newest, entries)
                break
        if now - self._forgotten_at >= _FORGET_EVERY:
            view.forget(now)
            self._forgotten_at = now
        return view
