"""What is counted, and what may be seen once only: the part of the store on which guessing founders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from doorward.core.model.bucket import Bucket
from doorward.core.ports.write import Write


class Attempts(Protocol):
    """Counters for throttling, and things that may be seen once only."""

    async def count(self, bucket: str, now: int) -> tuple[int, int]:
        """(tries counted in the bucket's running window, end of that window in seconds since the epoch)."""
        ...

    async def counts(self, buckets: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """(tries, end of the window) of each that was ever counted, in one round trip; the window may be over."""
        ...

    def add(self, bucket: str, now: int, window: int, *, tries: int = 1) -> Write:
        """So many more tries; a new window of `window` seconds begins when the old one is over. Safe under concurrency."""
        ...

    def take(self, bucket: Bucket, now: int) -> Write:
        """One more try while there is room. Guarded: loses when `bucket.limit` tries are counted in the running window, so that
        of many at once exactly as many are counted as the limit says."""
        ...

    def clear(self, bucket: str) -> Write: ...
    def claim(self, space: str, value: str, expires_at: int, *, now: int = 0) -> Write:
        """Guarded: loses when (space, value) was claimed and has not expired at `now` (assertion jti: RFC 7523 §3). Without `now`
        a claim counts until it is swept."""
        ...
