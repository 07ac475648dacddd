"""Monotonic clock for durations: unaffected by changes of the system clock, and it runs while the machine sleeps."""

from __future__ import annotations

import time
from typing import Final

# Linux stops CLOCK_MONOTONIC while a machine is suspended; a lease of one second must not still be running the next
# morning. Other systems use the monotonic clock.
_CLOCK: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def monotonic_boottime() -> float:
    """Seconds since an arbitrary moment; never goes back."""
    return time.clock_gettime(_CLOCK)
