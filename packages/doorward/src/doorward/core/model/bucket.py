"""Rate limit bucket: a limit of attempts in a time window."""

from __future__ import annotations

from msgspec import Struct


class Bucket(Struct, frozen=True):
    """One counter: at most `limit` attempts in `window` seconds. `key` contains no personal data."""

    key: str
    limit: int
    window: int

    def runs(self, ends_at: int, now: int) -> bool:
        """Whether a window that ends at `ends_at` is still running at `now`.

        One that ends more than two windows ahead was opened by a clock that has been set back since; waiting for its
        end would lock a person out for as long as that clock was wrong. (Clocks that merely differ are closer than a
        window.)
        """
        return now < ends_at <= now + 2 * self.window


Counted = tuple[Bucket, int, int]
"""(bucket, attempts in its running window, end of that window in seconds since the epoch)."""
