"""System clock that never goes back: the only place that reads the machine's time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, final

from doorward.adapters.logs import logger
from doorward.adapters.monotonic import monotonic_boottime

CATCHING_UP: Final = 0.9
"""Speed of this clock while the machine's is behind it: codes live a tenth longer then, and five minutes are made up in
fifty."""

AHEAD: Final = 60.0
"""Seconds. If further ahead of the machine's clock, this is logged repeatedly: APIs with correct clocks refuse such
tokens, and it takes more than ten minutes to pass."""
_SAY_AGAIN: Final = 600.0
_NOTICED: Final = 1.0
_log = logger("clock")


@final
class SystemClock:
    """The machine's clock as a `Clock`, but never going back.

    If the machine's clock is set forward, this one follows at once. If it is set back, this one continues, a little
    slower, until the machine's has caught up: so no new object lies in the future, no window is counted twice, and no
    session is older than its last use.
    """

    __slots__ = ("_at", "_behind", "_now", "_passed", "_said_at", "_wall")

    def __init__(
        self, wall: Callable[[], float] = time.time, passed: Callable[[], float] = monotonic_boottime
    ) -> None:
        self._wall = wall
        self._passed = passed
        self._now = wall()
        self._at = passed()
        self._behind = 0.0
        self._said_at = self._at

    def now(self) -> int:
        """Whole seconds since the epoch; never less than the last result."""
        return int(self.exact())

    def exact(self) -> float:
        """Seconds since the epoch, with their fraction."""
        wall, at = self._wall(), self._passed()
        went = max(0.0, at - self._at)
        now = self._now + went * CATCHING_UP
        if wall >= now:
            if self._behind:
                self._behind = 0.0
                _log.info("clock.caught_up")
            elif wall - self._now - went > 60:
                _log.warning("clock.set_forward", seconds=round(wall - self._now - went))
            now = wall
        elif now - wall > self._behind + _NOTICED:
            # logged once for each time that it is set back: after that the difference only shrinks
            self._behind = now - wall
            self._said_at = at
            _log.warning(
                "clock.set_back", seconds=round(self._behind), caught_up_in=_caught_up_in(self._behind)
            )
        elif now - wall > AHEAD and at - self._said_at >= _SAY_AGAIN:
            self._said_at = at
            _log.warning("clock.ahead", seconds=round(now - wall), caught_up_in=_caught_up_in(now - wall))
        self._now, self._at = now, at
        return now

    def ahead(self) -> float:
        """Seconds by which this clock is ahead of the machine's after that was set back; else 0."""
        went = max(0.0, self._passed() - self._at)
        return max(0.0, self._now + went * CATCHING_UP - self._wall())


def _caught_up_in(seconds: float) -> int:
    return round(seconds / (1 - CATCHING_UP))
