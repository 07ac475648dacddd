"""Attempt counters in the database: shared by all processes and kept over a restart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from doorward.core.model.bucket import Bucket, Counted
from doorward.core.ports.store import AdapterStore


@final
class StoreCounters:
    """`Counters` on the store alone."""

    __slots__ = ("_store",)

    def __init__(self, *, store: AdapterStore) -> None:
        self._store = store

    async def counted(self, buckets: Sequence[Bucket], now: int) -> Sequence[Counted]:
        """One read for all buckets."""
        found = await self._store.attempts.counts([bucket.key for bucket in buckets])
        return [running(bucket, found.get(bucket.key), now) for bucket in buckets]

    async def take(self, buckets: Sequence[Bucket], now: int) -> bool:
        """One commit for all buckets: each statement counts only while its bucket has room, and the commit is all or
        nothing."""
        take = self._store.attempts.take
        # Always in the same order, so that two commits never deadlock on these rows.
        ordered = sorted(buckets, key=lambda bucket: bucket.key)
        return await self._store.commit(*(take(bucket, now) for bucket in ordered))

    async def forget(self, buckets: Sequence[Bucket]) -> None:
        """Does nothing: no state is kept outside the store."""


def running(bucket: Bucket, found: tuple[int, int] | None, now: int) -> Counted:
    """The valid count of a stored bucket."""
    if found is None or not bucket.runs(found[1], now):
        return bucket, 0, now
    return bucket, *found
