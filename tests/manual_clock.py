"""Clock that stands still until a test sets it."""

from __future__ import annotations

NOW = 1_800_000_000


class ManualClock:
    """A clock whose time a test sets."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> int:
        return self.time
