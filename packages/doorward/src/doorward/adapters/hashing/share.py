"""How do sign-ins go on while the loop never rests, and hold up nobody who asks it for a token? It rests a tenth, in small pieces.

The kernel shares a core in turns that end with its clock's tick, four milliseconds as a rule: whoever asks for a token in the
turn of a hashing thread waits for all of it, which is twice what a token takes. The loop, when it rests by itself, is woken after
two tenths of a millisecond and goes on at once, since it stands before the hashing threads. So the threads stand as far back as
can be, where the kernel gives them next to nothing while the loop is busy, and the loop sees to it that they get their part.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from typing import final

EVERY = 0.002
"""Seconds between two rests."""
PIECE = 0.0002
"""Seconds of a rest: with `EVERY`, a tenth of the core that the loop runs on."""
PATIENCE = 0.02
"""Seconds that a hashing thread may be kept from running before the loop rests for it: a thread with a core to itself never is."""


def processor_time(thread: int) -> float:
    """Seconds of a processor that the living thread with this identifier has had; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0.0
    return time.clock_gettime(time.pthread_getcpuclockid(thread))


@final
class Share:
    """Watches how the hashing threads of a process get on, and lets its loop rest while they do not.

    `waiting` says whether passwords wait at all; the clocks and the rest itself are replaced only by tests.
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
        # By thread: what the clocks said when it began. A thread that waits for work is not in here.
        self._under_way: dict[int, tuple[float, float]] = {}
        # when nobody worked last: passwords that no thread has got round to taking starve too
        self._idle_since = 0.0
        self._watching: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Of a hashing thread: it takes up a password."""
        thread = threading.get_ident()
        self._under_way[thread] = (self._wall(), self._spent(thread))

    def end(self) -> None:
        """Of a hashing thread: it has handed over what it had, and waits for more."""
        if self._under_way.pop(threading.get_ident(), None) is not None:
            self._idle_since = self._wall()

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Of the loop: a password waits. It is looked after until none does."""
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
        # seldom while all is well: each look takes the core from the very thread that it is about
        loop.call_later(EVERY if starved else PATIENCE, self._look)
