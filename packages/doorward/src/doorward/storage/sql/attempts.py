"""Attempt counters in SQL: single statements, so that no concurrent attempt is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import ClassVar

from doorward.core.model.bucket import Bucket
from doorward.storage.sql.noun import Expiring, SqlNoun
from doorward.storage.sql.statements import Database, Write, guarded, write
from doorward.storage.sql.text import insert, one_of

_COUNTED = (
    "ON CONFLICT (bucket) DO UPDATE SET tries ="
    " CASE WHEN attempts.ends_at <= ? OR attempts.ends_at > ? THEN excluded.tries"
    " ELSE attempts.tries + excluded.tries END, ends_at ="
    " CASE WHEN attempts.ends_at <= ? OR attempts.ends_at > ? THEN excluded.ends_at ELSE attempts.ends_at END"
)
_ADD = insert("attempts", "bucket, tries, ends_at", _COUNTED)
_TAKE = insert(
    "attempts",
    "bucket, tries, ends_at",
    f"{_COUNTED} WHERE attempts.ends_at <= ? OR attempts.ends_at > ? OR attempts.tries < ?",
)
_CLEAR = "DELETE FROM attempts WHERE bucket = ?"
_MANY = 50


class SqlAttempts(SqlNoun):
    """Counters for throttling."""

    no_credentials: ClassVar = {"attempts": "counts of tries"}
    expiring: ClassVar = (Expiring(table="attempts", key="bucket", age="ends_at"),)

    def __init__(self, database: Database) -> None:
        self._db = database

    async def counts(self, buckets: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """(attempts, end of the window) of each known bucket, in one round trip; the window may be over."""
        found: dict[str, tuple[int, int]] = {}
        for start in range(0, len(buckets), _MANY):
            some = tuple(buckets[start : start + _MANY])
            found |= {row[0]: (row[1], row[2]) for row in await self._db.all(_counts(len(some)), some)}
        return found

    def add(self, bucket: str, now: int, window: int, *, tries: int = 1) -> Write:
        """Add attempts; a new window of `window` seconds begins when the old one is over. Safe under concurrency."""
        ends, far = now + window, now + 2 * window
        return write(_ADD, bucket, tries, ends, now, far, now, far)

    def take(self, bucket: Bucket, now: int) -> Write:
        """Add one attempt if the bucket has room. Guarded: loses when `bucket.limit` attempts are counted in the
        running window, so that concurrent requests are counted up to exactly the limit."""
        ends, far = now + bucket.window, now + 2 * bucket.window
        return guarded(_TAKE, bucket.key, 1, ends, now, far, now, far, now, far, bucket.limit)

    def clear(self, bucket: str) -> Write:
        return write(_CLEAR, bucket)


@cache
def _counts(number: int) -> str:
    return one_of("bucket, tries, ends_at", "attempts", "bucket", number)
