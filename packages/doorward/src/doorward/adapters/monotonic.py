"""How much time went by? Not what time it is: this goes on through every change of the clock, and while the machine sleeps."""

from __future__ import annotations

import time
from typing import Final

# Linux stops CLOCK_MONOTONIC while a machine is suspended; whoever trusts something for a second must not find that second
# still running the next morning. Elsewhere the monotonic clock has to do.
_CLOCK: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def ticks() -> float:
    """Seconds since some moment; never goes back."""
    return time.clock_gettime(_CLOCK)
