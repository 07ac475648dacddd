"""Counting tries so that all processes together let no more through than the limit says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from doorward.core.model.bucket import Bucket, Counted


class Counters(Protocol):
    """Shared by every process that answers for this server. Raises `StoreUnavailable` when nobody can count."""

    async def counted(self, buckets: Sequence[Bucket], now: int) -> Sequence[Counted]:
        """What was counted in each bucket; (bucket, 0, now) where no window runs."""
        ...

    async def take(self, buckets: Sequence[Bucket], now: int) -> bool:
        """Count one try in each bucket, or in none when one of them is full: answers whether it was counted.

        One step for all processes: of a thousand tries at once exactly as many are counted as the limit says.
        """
        ...

    async def forget(self, buckets: Sequence[Bucket]) -> None:
        """Whatever is remembered outside the store goes. The store's own counters go with the commit that says why
        (`Attempts.clear`); call this when it is done."""
        ...
