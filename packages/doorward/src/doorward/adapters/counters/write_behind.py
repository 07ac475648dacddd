"""Write-behind of attempts counted elsewhere: committed once a second, so that a guess costs no durable write."""

from __future__ import annotations

import asyncio
from typing import Final, final

from doorward.core.errors import StoreUnavailable
from doorward.core.ports.clock import Clock
from doorward.core.ports.store import AdapterStore

_MOST: Final = 20_000
_AT_ONCE: Final = 200


@final
class WriteBehindCounter:
    """Attempts that wait for the next commit. A job calls `flush` once a second; pending ones are lost when the process
    dies."""

    def __init__(self, *, store: AdapterStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: dict[str, tuple[int, int]] = {}
        self._flushing = asyncio.Lock()

    def note(self, key: str, window: int, tries: int = 1) -> None:
        """Add attempts to a bucket. If there are too many buckets, the oldest is dropped: memory is bounded."""
        _, before = self._waiting.get(key, (0, 0))
        if not before and len(self._waiting) >= _MOST:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[key] = (window, before + tries)

    def waiting(self, key: str) -> int:
        """The number of attempts in a bucket that are not in the database yet."""
        return self._waiting.get(key, (0, 0))[1]

    def drop(self, key: str) -> None:
        """Discard the attempts of a bucket: its owner has signed in."""
        self._waiting.pop(key, None)

    async def flush(self) -> None:
        """Commit pending attempts. Raises `StoreUnavailable`; then they stay pending."""
        async with self._flushing:
            while self._waiting:
                now = self._clock.now()
                # in one order, so that two processes never deadlock on these rows
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
