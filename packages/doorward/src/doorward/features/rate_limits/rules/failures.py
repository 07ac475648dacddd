"""How often has this address failed to prove itself as an app, and which failures are worth a line in the audit record?

A wrong guess must not buy an attacker a durable write, so that this is a tally and no throttle. Right credentials always work,
from any address, so nobody is locked out by a neighbour behind the same proxy; only the wrong ones are answered with «later».
"""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.features.rate_limits.rules.counter import Tally
from doorward.features.rate_limits.rules.network import blocks

WINDOW: Final = 900
AUDITS_A_MINUTE: Final = 30
BATCH: Final = 8


class Noted(Struct, frozen=True):
    """`count` failures in the running window; `audit`: write this one down; `retry_at` (seconds) once there were too many."""

    count: int
    audit: bool
    retry_at: int | None


@final
class Failures:
    """Bounded in memory and in what one process lets through to the record; `tally` is shared with the other processes."""

    __slots__ = ("_audited", "_limit", "_minute", "tally")

    def __init__(self, *, per_address: int) -> None:
        self._limit = per_address
        self.tally = Tally(window=WINDOW, batch=BATCH)
        self._minute = 0
        self._audited = 0

    def note(self, address: str, now: int) -> Noted:
        """Count one more failure from `address` (IPv6: from its blocks; `count` is that of the narrowest) at `now`."""
        over: list[int] = []
        count = 0
        for block in reversed(blocks(address)):
            count, end = self.tally.note(block.name, now)
            if count > self._limit * block.times:
                over.append(end)
        # The 1st, 2nd, 4th, 8th …: the record shows how far it went without growing as fast as the attack.
        worth = count & (count - 1) == 0 and self._budget(now)
        return Noted(count, worth, max(over, default=None))

    def _budget(self, now: int) -> bool:
        if now // 60 != self._minute:
            self._minute, self._audited = now // 60, 0
        self._audited += 1
        return self._audited <= AUDITS_A_MINUTE
