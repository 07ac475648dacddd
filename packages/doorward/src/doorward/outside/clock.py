"""What time is it? The one place that asks the machine."""

from __future__ import annotations

import time
from typing import final


@final
class SystemClock:
    """The machine's clock, as `ports.clock.Clock`."""

    __slots__ = ()

    def now(self) -> int:
        """Whole seconds since the epoch."""
        return int(time.time())
