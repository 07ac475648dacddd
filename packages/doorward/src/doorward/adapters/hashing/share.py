"""Processor share of the hashing threads: a busy event loop pauses for a tenth of the time, in small pieces.

The kernel shares a core in time slices that end with its clock tick, usually every four milliseconds: a token request
that arrives in the slice of a hashing thread waits for all of it, which is twice what a token takes. When the loop
sleeps, it is woken after 0.2 ms and runs at once, since it has priority over the hashing threads. So these threads have
the lowest priority, where the kernel gives them almost nothing while the loop is busy, and the loop itself makes sure
that they get their share.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from typing import final

EVERY = 0.002
"""Seconds between two pauses."""
PIECE = 0.0002
"""Seconds of a pause: with `EVERY`, a tenth of the core that the loop runs on."""
PATIENCE = 0.02
"""Seconds that a hashing thread may be kept from running before the loop pauses for it: a thread with a core of its own
never is."""


def processor_time(thread: int) -> float:
    """Processor seconds used by the living thread with this identifier; 0 if the system does not provide them."""
    if sys.platform != "linux":
        return 0.0
    return time.clock_gettime(time.pthread_getcpuclockid(thread))


@final
class Share:
    """Watches the progress of the hashing threads of a process, and pauses its loop while they make none.

    `waiting` says whether passwords wait; only tests replace the clocks and the pause.
    """

    def __init__(
        self,
        waiting: Callable[[], bool],
        *,
        wall: Callable[[], float] = time.monotonic,
        spent: Callable[[int], float] = processor_time,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._waiting, self._wall, self._spent, self._rest = waiting, wall, spent, rest
        # By thread: the clocks when it began a password. An idle thread is not listed.
        self._under_way: dict[int, tuple[float, float]] = {}
        # since when no thread works: passwords that no thread has taken starve too
        self._idle_since = 0.0
        self._watching: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Called by a hashing thread when it takes a password."""
        thread = threading.get_ident()
        self._under_way[thread] = (self._wall(), self._spent(thread))

    def end(self) -> None:
        """Called by a hashing thread when it has delivered its results and waits for more."""
        if self._under_way.pop(threading.get_ident(), None) is not None:
            self._idle_since = self._wall()

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called on the loop when a password waits: watch until none does."""
        if sys.platform != "linux" or (self._watching is not None and not self._watching.is_closed()):
            return
        self._watching = loop
        self._idle_since = self._wall()
        loop.call_later(PATIENCE, self._look)

    def starved(self) -> bool:
        """Whether a hashing thread has been kept from running for longer than `PATIENCE`."""
        now = self._wall()
        under_way = list(self._under_way.items())
        if not under_way:
            return now - self._idle_since > PATIENCE
        return any(
            now - began - (self._spent(thread) - spent) > PATIENCE for thread, (began, spent) in under_way
        )

    def _look(self) -> None:
        loop, self._watching = self._watching, None
        if loop is None or not self._waiting():
            return
        starved = self.starved()
        if starved:
            self._rest(PIECE)
        self._watching = loop
        # rarely while all is well: each check takes the core from the thread that it measures
        loop.call_later(EVERY if starved else PATIENCE, self._look)
