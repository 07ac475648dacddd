"""Approximate counter in memory, exchanged between processes once a second.

It is for events that must not cost the server a database write each. In return the limit is not exact: see `tell`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

MAX_KEYS: Final = 10_000


class _Row:
    """`shared`: the total of all processes at the last exchange, plus what this one has reported since; `mine`: not reported yet."""

    __slots__ = ("end", "mine", "noted", "shared")

    def __init__(self, end: int) -> None:
        self.end = end
        self.shared = 0
        self.mine = 0
        self.noted = False


@final
class ApproximateCounter:
    """Counts per key in windows of `window` seconds. Memory is bounded: the key noted longest ago is dropped first.

    Each of `n` processes has at most `batch` - 1 unreported, plus the last second; a limit may be exceeded by that much.
    """

    __slots__ = ("_rows", "batch", "window")

    def __init__(self, *, window: int, batch: int) -> None:
        self.window = window
        self.batch = batch
        self._rows: dict[str, _Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def count(self, key: str, now: int) -> tuple[int, int]:
        """(count in the running window, its end in seconds); (0, now) without a running window."""
        row = self._rows.get(key)
        return (row.shared + row.mine, row.end) if row is not None and row.end > now else (0, now)

    def note(self, key: str, now: int) -> tuple[int, int]:
        """Count one more; returns the same, including this one."""
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
        """(key, count) for at most `most` keys with a full batch to report. The caller reports them, or keeps them until it can."""
        due = sorted(
            ((row.mine, key) for key, row in self._rows.items() if row.mine >= self.batch), reverse=True
        )
        for tries, key in due[:most]:
            row = self._rows[key]
            row.mine, row.shared = 0, row.shared + tries
        return sorted((key, tries) for tries, key in due[:most])

    def asked(self, most: int) -> Sequence[str]:
        """At most `most` keys noted since the last call, for which the counts of other processes are needed."""
        noted = [key for key, row in self._rows.items() if row.noted][-most:]
        for key in noted:
            self._rows[key].noted = False
        return noted

    def learn(self, key: str, tries: int, end: int) -> None:
        """Set the total of all processes for a window that ends at `end`."""
        row = self._rows.get(key)
        if row is not None:
            row.shared, row.end = tries, end
