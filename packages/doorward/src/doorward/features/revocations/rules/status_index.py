"""Position of a new grant in a status list (Token Status List §13.2: indexes must not make tokens distinguishable or linkable)."""

from __future__ import annotations

from typing import Final

SIZE: Final = 1 << 20
"""Positions in one list: 128 KiB of bits, few of which are ever set, so that it compresses to some kilobytes."""

WEEK: Final = 7 * 86_400
TRIES: Final = 32
SPILL: Final = 1_000_000


def list_for(now: int, tries: int) -> int:
    """The number of the list for a grant made at `now` (seconds): one list per week, so that old lists expire as a whole.

    `tries` counts the random positions that were already taken: when many in a row were, the list is full, and the next list of that
    week is used (its number is `SPILL` higher).
    """
    return now // WEEK + SPILL * (tries // TRIES)
