"""Attempt counters in Valkey: atomic, no durable write for each attempt, and no loss when Valkey loses data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, final

from doorward.adapters.counters.store import StoreCounters, running
from doorward.adapters.counters.write_behind import WriteBehindCounter
from doorward.adapters.valkey.connection import EPOCH, CacheAway, ValkeyLink
from doorward.core.model.bucket import Bucket, Counted
from doorward.core.ports.store import AdapterStore

PREFIX: Final = "{doorward}:try:"
_KEEP: Final = 60
"""Seconds that a counter outlives its window, so that a process with a slower clock still finds it."""

# A counter: its epoch, its attempts, the end of its window. One of an older epoch, or a missing one (evicted, or the
# server restarted empty), is unknown here, and the caller passes the value of the database. Times are the caller's: the
# cache's own clock is not used.
_READ = """
local found = redis.call('HMGET', key, 'v', 't', 'e')
if found[1] == epoch then tries, ends = tonumber(found[2]), tonumber(found[3]) end
"""
# A new epoch must never equal an earlier one: counters of that one would be valid again.
_EPOCH = """
local epoch = redis.call('GET', KEYS[1])
if not epoch then
  local time = redis.call('TIME')
  epoch = time[1] .. '.' .. time[2]
  redis.call('SET', KEYS[1], epoch)
end
"""
_TAKE: Final = (
    _EPOCH
    + """
local now = tonumber(ARGV[1])
local counters, unknown, full = {}, false, false
for i = 2, #KEYS do
  local key, at = KEYS[i], 2 + (i - 2) * 4
  local window, limit = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local tries, ends = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
"""
    + _READ
    + """
  if tries < 0 then unknown = true end
  if ends <= now or ends > now + 2 * window then tries, ends = 0, now + window end
  if tries >= limit then full = true end
  counters[#counters + 1] = {key, tries + 1, ends}
end
if unknown then return -1 end
if full then return 0 end
for _, counter in ipairs(counters) do
  redis.call('HSET', counter[1], 'v', epoch, 't', counter[2], 'e', string.format('%.0f', counter[3]))
  redis.call('EXPIRE', counter[1], string.format('%.0f', counter[3] - now + """
    + str(_KEEP)
    + """))
end
return 1
"""
)
_COUNT: Final = (
    _EPOCH
    + """
local answer = {}
for i = 2, #KEYS do
  local key, tries, ends = KEYS[i], -1, 0
"""
    + _READ
    + """
  answer[#answer + 1] = {tries, ends}
end
return answer
"""
)


@final
class ValkeyCounters:
    """`Counters` in Valkey, with the store behind it.

    Counts are also written to the store, summed once a second, so that a process that must go on without the cache
    knows them. Counters that the cache does not know are read from the store.
    """

    def __init__(self, *, link: ValkeyLink, store: AdapterStore, uncommitted: WriteBehindCounter) -> None:
        self._link = link
        self._store = store
        self._uncommitted = uncommitted
        self._without = StoreCounters(store=store)

    async def counted(self, buckets: Sequence[Bucket], now: int) -> Sequence[Counted]:
        """From the cache; unknown ones from the store."""
        try:
            answers = await self._link.run(_COUNT, _keys(buckets), ())
        except CacheAway:
            await self._uncommitted.flush()
            return await self._without.counted(buckets, now)
        found = {
            bucket.key: (tries, ends)
            for bucket, (tries, ends) in zip(buckets, answers, strict=True)
            if tries >= 0
        }
        unknown = [bucket for bucket in buckets if bucket.key not in found]
        found |= await self._known_to_store(unknown)
        return [running(bucket, found.get(bucket.key), now) for bucket in buckets]

    async def take(self, buckets: Sequence[Bucket], now: int) -> bool:
        """One script counts in all buckets or in none."""
        try:
            taken = await self._link.run(_TAKE, _keys(buckets), _asked(buckets, now, None))
            if taken < 0:
                known = await self._known_to_store(buckets)
                taken = await self._link.run(_TAKE, _keys(buckets), _asked(buckets, now, known))
        except CacheAway:
            # the counts of this process of the last second must be in the store before the store decides
            await self._uncommitted.flush()
            return await self._without.take(buckets, now)
        if taken == 1:
            for bucket in buckets:
                self._uncommitted.note(bucket.key, bucket.window)
        return taken == 1

    async def forget(self, buckets: Sequence[Bucket]) -> None:
        """If the cache is away, its counters end with the epoch."""
        for bucket in buckets:
            self._uncommitted.drop(bucket.key)
        try:
            await self._link.do("DEL", *(PREFIX + bucket.key for bucket in buckets))
        except CacheAway:
            return

    async def _known_to_store(self, buckets: Sequence[Bucket]) -> Mapping[str, tuple[int, int]]:
        if not buckets:
            return {}
        found = await self._store.attempts.counts([bucket.key for bucket in buckets])
        return {key: (tries + self._uncommitted.waiting(key), ends) for key, (tries, ends) in found.items()}


def _asked(buckets: Sequence[Bucket], now: int, known: Mapping[str, tuple[int, int]] | None) -> list[int]:
    asked = [now]
    for bucket in buckets:
        tries, ends = (-1, 0) if known is None else known.get(bucket.key, (0, 0))
        asked += [bucket.window, bucket.limit, tries, ends]
    return asked


def _keys(buckets: Sequence[Bucket]) -> list[str]:
    return [EPOCH, *(PREFIX + bucket.key for bucket in buckets)]
