"""Exchange of the approximate counters between processes: one commit and one read per second, whatever the load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from doorward.adapters.counters.write_behind import Tallies
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import Sealer
from doorward.features.rate_limits.rules.counter import Tally
from doorward.storage.sql.store import Store

_MOST: Final = 200
_PURPOSE: Final = "tally"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareTallies:
    """`tallies` by name. In the store the keys are keyed hashes, so that the database reveals no addresses.

    `uncommitted` also holds the exact attempts counted in a cache; they are written in the same commit.
    """

    store: Store
    sealer: Sealer
    clock: Clock
    uncommitted: Tallies
    tallies: Mapping[str, Tally]

    async def exchange(self) -> None:
        """Raises `StoreUnavailable`; the counts are then reported the next time."""
        for name, tally in self.tallies.items():
            for key, tries in tally.tell(_MOST):
                self.uncommitted.note(self._tag(name, key), tally.window, tries)
        await self.uncommitted.flush()
        now = self.clock.now()
        for name, tally in self.tallies.items():
            if names := {self._tag(name, key): key for key in tally.asked(_MOST)}:
                for tag, (tries, end) in (await self.store.attempts.counts(list(names))).items():
                    if now < end <= now + 2 * tally.window:
                        tally.learn(names[tag], tries, end)

    def _tag(self, name: str, key: str) -> str:
        return self.sealer.tag(_PURPOSE, f"{name}:{key}")
