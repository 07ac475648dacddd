"""Approximate counter in memory, for what needs no exact count; the processes tell one another once a second.

What is counted so must not cost its sender's victim a write each. The price is a bound that is not sharp: see `tell`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

MAX_KEYS: Final = 10_000


class _Row:
    """`shared`: as all processes counted at the last look, and what this one told since; `mine`: not told yet."""

    __slots__ = ("end", "mine", "noted", "shared")

    def __init__(self, end: int) -> None:
        self.end = end
        self.shared = 0
        self.mine = 0
        self.noted = False


@final
class Tally:
    """Counts in windows of `window` seconds by key; bounded in memory, and of many keys the one noted longest ago goes first.

    Of `n` processes each keeps at most `batch` - 1 to itself, and what came in the last second: so far may a limit be passed.
    """

    __slots__ = ("_rows", "batch", "window")

    def __init__(self, *, window: int, batch: int) -> None:
        self.window = window
        self.batch = batch
        self._rows: dict[str, _Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def count(self, key: str, now: int) -> tuple[int, int]:
        """(how often in the running window, its end in seconds); (0, now) when none runs."""
        row = self._rows.get(key)
        return (row.shared + row.mine, row.end) if row is not None and row.end > now else (0, now)

    def note(self, key: str, now: int) -> tuple[int, int]:
        """Once more; the same answer, this one counted."""
        row = self._rows.pop(key, None)
        if row is None or row.end <= now:
            row = _Row(now + self.window)
        if len(self._rows) >= MAX_KEYS:
            del self._rows[next(iter(self._rows))]
        self._rows[key] = row
        row.mine += 1
        row.noted = True
        return row.shared + row.mine, row.end

    def tell(self, most: int) -> Sequence[tuple[str, int]]:
        """(key, how often) for at most `most` keys that have a whole batch to tell. Whoever asks passes it on, or keeps it until it can."""
        due = sorted(
            ((row.mine, key) for key, row in self._rows.items() if row.mine >= self.batch), reverse=True
        )
        for tries, key in due[:most]:
            row = self._rows[key]
            row.mine, row.shared = 0, row.shared + tries
        return sorted((key, tries) for tries, key in due[:most])

    def asked(self, most: int) -> Sequence[str]:
        """At most `most` keys that were noted since the last question: what the others counted of them is worth knowing."""
        noted = [key for key, row in self._rows.items() if row.noted][-most:]
        for key in noted:
            self._rows[key].noted = False
        return noted

    def learn(self, key: str, tries: int, end: int) -> None:
        """All together told of so many, in a window that ends then."""
        row = self._rows.get(key)
        if row is not None:
            row.shared, row.end = tries, end
