"""Which place in a status list does a new grant get? (Token Status List §13.2: indexes must not tell tokens apart or together)"""

from __future__ import annotations

from typing import Final

SIZE: Final = 1 << 20
"""Places in one list: 128 KiB of bits, of which few are ever set, so that it travels as some kilobytes."""

WEEK: Final = 7 * 86_400
TRIES: Final = 32
SPILL: Final = 1_000_000


def list_for(now: int, tries: int) -> int:
    """The number of the list for a grant that is made `now` (seconds): one a week, so that old lists fade away whole.

    `tries` counts the random places that were taken already: when a week's list is so full that many in a row were, the
    next one of that week is used (its number is `SPILL` higher).
    """
    return now // WEEK + SPILL * (tries // TRIES)
