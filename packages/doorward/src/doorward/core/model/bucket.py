"""A counter of tries with an end: how many of them in how long are too many."""

from __future__ import annotations

from msgspec import Struct


class Bucket(Struct, frozen=True):
    """One counter: at most `limit` tries in `window` seconds. `key` names nobody."""

    key: str
    limit: int
    window: int

    def runs(self, ends_at: int, now: int) -> bool:
        """Whether a window that ends then is still running at `now`.

        One that ends more than two windows ahead was opened by a clock that has been set back since; waiting for it to end
        would keep somebody out for as long as that clock was wrong. (Clocks that merely differ are closer than a window.)
        """
        return now < ends_at <= now + 2 * self.window


Counted = tuple[Bucket, int, int]
"""(bucket, tries in its running window, end of that window in seconds since the epoch)."""
