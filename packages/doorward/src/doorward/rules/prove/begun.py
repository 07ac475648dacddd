"""How many sign-ins has this address begun and left lying? Each is a row that is kept for a day, and beginning one costs its sender
a line of text.

Counted in memory, per process, like failed apps: counting must not cost the write that it is to save.
"""

from __future__ import annotations

from typing import Final, final

from doorward.rules.prove.attempts import network

WINDOW: Final = 900
PER_GUESS: Final = 20
"""How many sign-ins an address may begin for each wrong password that it may try: a whole office stands behind one address."""

MAX_ADDRESSES: Final = 10_000


@final
class Begun:
    """At most `limit` sign-ins without an end, in 15 minutes, from one address (IPv6: one /64)."""

    __slots__ = ("_limit", "_windows")

    def __init__(self, limit: int = 2000) -> None:
        self._limit = limit
        self._windows: dict[str, tuple[int, int]] = {}

    def full(self, address: str, now: int) -> int | None:
        """From when on (seconds) `address` may begin one again; None when it may now."""
        end, count = self._windows.get(network(address), (now, 0))
        return end if count >= self._limit and end > now else None

    def note(self, address: str, now: int) -> None:
        """Count one more."""
        key = network(address)
        end, count = self._windows.pop(key, (now + WINDOW, 0))
        if end <= now:
            end, count = now + WINDOW, 0
        if len(self._windows) >= MAX_ADDRESSES:
            del self._windows[next(iter(self._windows))]
        self._windows[key] = (end, count + 1)
