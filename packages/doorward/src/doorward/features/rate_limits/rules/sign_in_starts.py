"""Limit of begun sign-ins per address or person. Without a session each leaves a row for a day; with a session each gives a grant and a
code; and it costs the sender only one line of text.

It is an approximate counter, like that of failed apps, since counting must not cost the write that it saves.
"""

from __future__ import annotations

from typing import Final, final

from doorward.features.rate_limits.rules.counter import ApproximateCounter
from doorward.features.rate_limits.rules.network import blocks

WINDOW: Final = 900
PER_GUESS: Final = 20
"""Sign-ins that an address may begin per wrong password that it may try: a whole office may share one address."""

SESSIONS: Final = 4
"""One session may begin this part of what its person may: whoever has a stolen one leaves the rest to the owner's own."""

BATCH: Final = 32


@final
class SignInRateLimiter:
    """At most `limit` sign-ins in 15 minutes from one address (IPv6: by its blocks), or of one signed-in person, a part of them in one
    session; `counter` is shared with the other processes."""

    __slots__ = ("_limit", "counter")

    def __init__(self, *, limit: int = 2000) -> None:
        self._limit = limit
        self.counter = ApproximateCounter(window=WINDOW, batch=BATCH)

    def full(self, who: str, now: int, *, parts: int = 1) -> int | None:
        """The time (seconds) from which an address, a person or a session (by id) may begin another sign-in; None when it may now.
        `parts`: the limit is this part of the whole."""
        full = [
            end
            for block in blocks(who)
            for count, end in [self.counter.count(block.name, now)]
            if count * parts >= self._limit * block.times
        ]
        return max(full, default=None)

    def note(self, who: str, now: int) -> None:
        """Count one more sign-in."""
        for block in blocks(who):
            self.counter.note(block.name, now)
