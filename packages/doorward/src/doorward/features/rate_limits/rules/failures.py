"""Counter of failed client authentications per address, and the choice of failures for the audit log.

A wrong guess must not cause a database write, so this is an approximate counter and not a throttle. Right credentials always work,
from any address, so that no app is locked out by another one behind the same proxy; only wrong ones are asked to retry later.
"""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.features.rate_limits.rules.counter import ApproximateCounter
from doorward.features.rate_limits.rules.network import blocks

WINDOW: Final = 900
AUDITS_A_MINUTE: Final = 30
BATCH: Final = 8


class Noted(Struct, frozen=True):
    """`count` failures in the running window; `audit`: write an audit event; `retry_at` (seconds) after too many."""

    count: int
    audit: bool
    retry_at: int | None


@final
class ClientAuthRateLimiter:
    """Bounded in memory and in the audit events of one process; `counter` is shared with the other processes."""

    __slots__ = ("_audited", "_limit", "_minute", "counter")

    def __init__(self, *, per_address: int) -> None:
        self._limit = per_address
        self.counter = ApproximateCounter(window=WINDOW, batch=BATCH)
        self._minute = 0
        self._audited = 0

    def note(self, address: str, now: int, *, also: str | None = None) -> Noted:
        """Count one more failure from `address` (IPv6: from its blocks; `count` is that of the narrowest) at `now`. `also` is what was
        guessed at, which has a counter of its own."""
        over: list[int] = []
        count = 0
        if also is not None:
            tries, end = self.counter.note(also, now)
            if tries > self._limit:
                over.append(end)
        for block in reversed(blocks(address)):
            count, end = self.counter.note(block.name, now)
            if count > self._limit * block.times:
                over.append(end)
        # The 1st, 2nd, 4th, 8th …: the audit log shows the extent of an attack without growing as fast.
        worth = count & (count - 1) == 0 and self._budget(now)
        return Noted(count, worth, max(over, default=None))

    def _budget(self, now: int) -> bool:
        if now // 60 != self._minute:
            self._minute, self._audited = now // 60, 0
        self._audited += 1
        return self._audited <= AUDITS_A_MINUTE
