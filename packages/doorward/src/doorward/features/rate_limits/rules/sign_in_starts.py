"""How many sign-ins has this address, or this person, begun? A stranger leaves a row that is kept for a day; whoever is signed in
gets a grant and a code from each; and beginning one costs its sender a line of text.

A tally, like that of failed apps: counting must not cost the write that it is to save.
"""

from __future__ import annotations

from typing import Final, final

from doorward.features.rate_limits.rules.counter import Tally
from doorward.features.rate_limits.rules.network import blocks

WINDOW: Final = 900
PER_GUESS: Final = 20
"""How many sign-ins an address may begin for each wrong password that it may try: a whole office stands behind one address."""

BATCH: Final = 32


@final
class Begun:
    """At most `limit` sign-ins in 15 minutes from one address (IPv6: by its blocks), or of one person who is signed in; `tally` is
    shared with the other processes."""

    __slots__ = ("_limit", "tally")

    def __init__(self, *, limit: int = 2000) -> None:
        self._limit = limit
        self.tally = Tally(window=WINDOW, batch=BATCH)

    def full(self, who: str, now: int) -> int | None:
        """From when on (seconds) an address or a person (by id) may begin one again; None when it may now."""
        full = [
            end
            for block in blocks(who)
            for count, end in [self.tally.count(block.name, now)]
            if count >= self._limit * block.times
        ]
        return max(full, default=None)

    def note(self, who: str, now: int) -> None:
        """Count one more."""
        for block in blocks(who):
            self.tally.note(block.name, now)
