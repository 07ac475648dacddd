"""Counters of attempts: all processes together allow no more than the limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from doorward.core.model.bucket import Bucket, Counted


class Counters(Protocol):
    """Shared by all processes of this server. Raises `StoreUnavailable` when counting is impossible."""

    async def counted(self, buckets: Sequence[Bucket], now: int) -> Sequence[Counted]:
        """The count of each bucket; (bucket, 0, now) where no window runs."""
        ...

    async def take(self, buckets: Sequence[Bucket], now: int) -> bool:
        """Count one attempt in each bucket, or in none when one of them is full; returns whether it was counted.

        One atomic step for all processes: concurrent attempts are counted up to exactly the limit.
        """
        ...

    async def forget(self, buckets: Sequence[Bucket]) -> None:
        """Delete what is stored outside the store. The store's own counters are deleted by the commit that causes this
        (`Attempts.clear`); call this after it."""
        ...
