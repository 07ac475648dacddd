"""Pace of a device that polls (RFC 8628 §3.5, R35): which poll comes too early, and what follows from it."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

INTERVAL: Final = 5
"""Seconds between two polls at first (§3.2)."""
SLOWER: Final = 5
"""Seconds by which the interval grows with each `slow_down`."""
SLOWEST: Final = 60
"""The interval grows no further."""
LEEWAY: Final = 3
"""Seconds by which a poll may be early. Times are whole seconds, and requests are under way for different times, so that a client that
waits exactly the interval is seen up to two seconds early. The mean is enforced all the same: what is early once is due later the next time."""
MOST_REMEMBERED: Final = 10_000


class Paced(Struct, frozen=True):
    """Whether a poll came in time, and from when on (seconds) the next one is due."""

    in_time: bool
    due: int


def pace(due: int | None, interval: int, now: int) -> Paced:
    """Decide on a poll at `now`. `due` is when it was expected, None for the first one; `interval` in seconds. After an early poll the
    whole raised interval counts from now, so that a client that waits that long is in time again."""
    if due is not None and now < due - LEEWAY:
        return Paced(False, now + slower(interval))
    return Paced(True, max(now, due or now) + interval)


def slower(interval: int) -> int:
    """The interval after a poll that was too early."""
    return min(interval + SLOWER, SLOWEST)


@final
class PollTimes:
    """When the next poll of each device is due, as this process knows it; the one noted longest ago is forgotten first.

    A poll in time leaves no row in the database. A device that polls through several processes is compared with its polls at each of
    them, and with the last `slow_down` of any.
    """

    __slots__ = ("_due",)

    def __init__(self) -> None:
        self._due: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._due)

    def poll(self, request_id: str, *, interval: int, slowed_at: int | None, now: int) -> bool:
        """Note a poll; whether it came in time. `interval` and `slowed_at` are those of the stored request."""
        known = [self._due.pop(request_id, None), None if slowed_at is None else slowed_at + interval]
        paced = pace(max((due for due in known if due is not None), default=None), interval, now)
        if len(self._due) >= MOST_REMEMBERED:
            del self._due[next(iter(self._due))]
        self._due[request_id] = paced.due
        return paced.in_time

    def forget(self, request_id: str) -> None:
        """The device polls no more."""
        self._due.pop(request_id, None)
