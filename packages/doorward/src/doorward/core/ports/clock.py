"""The time, read once per request and passed to the rules as `now`."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Whole seconds since the epoch."""

    def now(self) -> int: ...
