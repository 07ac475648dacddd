"""Exchange of the approximate counters between processes: one commit and one read per second, whatever the load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from doorward.adapters.counters.write_behind import WriteBehindCounter
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import Sealer
from doorward.features.rate_limits.rules.counter import ApproximateCounter
from doorward.storage.sql.store import Store

_MOST: Final = 200
_PURPOSE: Final = "tally"


class CounterSync(Struct, frozen=True, kw_only=True):
    """`counters` by name. In the store the keys are keyed hashes, so that the database reveals no addresses.

    `uncommitted` also holds the exact attempts counted in a cache; they are written in the same commit.
    """

    store: Store
    sealer: Sealer
    clock: Clock
    uncommitted: WriteBehindCounter
    counters: Mapping[str, ApproximateCounter]

    async def exchange(self) -> None:
        """Raises `StoreUnavailable`; the counts are then reported the next time."""
        for name, counter in self.counters.items():
            for key, tries in counter.tell(_MOST):
                self.uncommitted.note(self._tag(name, key), counter.window, tries)
        await self.uncommitted.flush()
        now = self.clock.now()
        for name, counter in self.counters.items():
            if names := {self._tag(name, key): key for key in counter.asked(_MOST)}:
                for tag, (tries, end) in (await self.store.attempts.counts(list(names))).items():
                    if now < end <= now + 2 * counter.window:
                        counter.learn(names[tag], tries, end)

    def _tag(self, name: str, key: str) -> str:
        return self.sealer.tag(_PURPOSE, f"{name}:{key}")
