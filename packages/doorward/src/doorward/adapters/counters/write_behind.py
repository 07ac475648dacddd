"""Write-behind for tries that were counted elsewhere: added up, and committed together once a second, so that no guess buys a durable write."""

from __future__ import annotations

import asyncio
from typing import Final, final

from doorward.core.errors import StoreUnavailable
from doorward.core.ports.clock import Clock
from doorward.core.ports.store import AdapterStore

_MOST: Final = 20_000
_AT_ONCE: Final = 200


@final
class Tallies:
    """Tries that wait for the next commit. A job calls `flush` once a second; what is noted when the process dies is lost."""

    def __init__(self, *, store: AdapterStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: dict[str, tuple[int, int]] = {}
        self._flushing = asyncio.Lock()

    def note(self, key: str, window: int, tries: int = 1) -> None:
        """So many more tries in a bucket. Of very many buckets the oldest is given up: memory has an end."""
        _, before = self._waiting.get(key, (0, 0))
        if not before and len(self._waiting) >= _MOST:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[key] = (window, before + tries)

    def waiting(self, key: str) -> int:
        """How many of a bucket are not in the database yet."""
        return self._waiting.get(key, (0, 0))[1]

    def drop(self, key: str) -> None:
        """They count no more: its owner got in."""
        self._waiting.pop(key, None)

    async def flush(self) -> None:
        """Commit what waits. Raises `StoreUnavailable`; then it goes on waiting."""
        async with self._flushing:
            while self._waiting:
                now = self._clock.now()
                # in one order, so that two processes never wait for one another's rows
                some = sorted(self._waiting)[:_AT_ONCE]
                taken = {key: self._waiting.pop(key) for key in some}
                add = self._store.attempts.add
                try:
                    await self._store.commit(
                        *(add(key, now, window, tries=tries) for key, (window, tries) in taken.items())
                    )
                except StoreUnavailable:
                    for key, (window, tries) in taken.items():
                        self.note(key, window, tries)
                    raise
