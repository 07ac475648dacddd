"""Once a second the processes tell one another what they have counted: in one commit and one read, however much it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import Sealer
from doorward.core.ports.store import Store
from doorward.features.rate_limits.rules.counter import Tally

_MOST: Final = 200
_PURPOSE: Final = "tally"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareTallies:
    """`tallies` by name. In the store the keys are keyed hashes: a reader of the database learns no address."""

    store: Store
    sealer: Sealer
    clock: Clock
    tallies: Mapping[str, Tally]

    async def exchange(self) -> None:
        """Raises `StoreUnavailable`; what was counted is told the next time."""
        now = self.clock.now()
        for name, tally in self.tallies.items():
            if due := tally.unsent(_MOST):
                add = self.store.attempts.add
                tagged = sorted((self._tag(name, key), tries) for key, tries in due)
                try:
                    await self.store.commit(
                        *(add(key, now, tally.window, tries=tries) for key, tries in tagged)
                    )
                except BaseException:
                    tally.kept()
                    raise
                tally.sent()
            names = {self._tag(name, key): key for key in tally.asked(_MOST)}
            if names:
                for tag, (tries, end) in (await self.store.attempts.counts(list(names))).items():
                    if now < end <= now + 2 * tally.window:
                        tally.learn(names[tag], tries, end)

    def _tag(self, name: str, key: str) -> str:
        return self.sealer.tag(_PURPOSE, f"{name}:{key}")
