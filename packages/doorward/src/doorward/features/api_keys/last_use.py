"""Last use of API keys: noted in memory, and written at most once a minute for a key, whatever its load."""

from __future__ import annotations

from typing import Final, final

from doorward.core.ports.clock import Clock
from doorward.storage.sql.store import Store

MINUTE: Final = 60
MOST_NOTED: Final = 10_000
_AT_ONCE: Final = 100


@final
class LastUse:
    """The uses that this process has not written yet, and the times that it knows to be written. Both are bounded: beyond that a use is
    not noted, which loses a time and nothing else."""

    __slots__ = ("_noted", "_store", "_written")

    def __init__(self, *, store: Store) -> None:
        self._store = store
        self._noted: dict[str, int] = {}
        self._written: dict[str, int] = {}

    def note(self, key_id: str, known: int | None, now: int) -> None:
        """A key was used at `now`; `known` is the time in its row."""
        written = max(known or 0, self._written.get(key_id, 0))
        if now - written >= MINUTE and (key_id in self._noted or len(self._noted) < MOST_NOTED):
            self._noted[key_id] = now

    async def flush(self, clock: Clock) -> int:
        """Write what was noted; returns for how many keys. Raises `StoreUnavailable`: then it is written the next time."""
        total = 0
        while self._noted:
            batch = sorted(self._noted.items())[:_AT_ONCE]
            # in the order of ids, so that two processes do not deadlock
            await self._store.commit(
                *(self._store.api_keys.used(key_id, at, earlier=at - MINUTE) for key_id, at in batch)
            )
            for key_id, at in batch:
                if self._noted.get(key_id) == at:
                    del self._noted[key_id]
                self._written[key_id] = at
            total += len(batch)
        since = clock.now() - MINUTE
        self._written = {key_id: at for key_id, at in self._written.items() if at > since}
        return total
