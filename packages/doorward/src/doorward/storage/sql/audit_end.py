"""Retention of the audit log: lines are removed by age alone, oldest first, in small batches or a month at once.

An id begins with its time (RFC 9562 §5.7), so the key tells the age of a line. The database allows a deletion only for
lines older than the start of the log as recorded in `meta`; the same transaction records it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, final

from doorward.storage.sql.database_state import PUT_META
from doorward.storage.sql.statements import Database
from doorward.storage.sql.text import delete_oldest, select

KEPT_FROM: Final = "audit.kept_from"
"""The name in `meta` of the id where the log starts: older lines may be deleted."""
_LOOK: Final = select("1", "audit WHERE id < ? ORDER BY id LIMIT 1")
_REMOVE: Final = delete_oldest("audit", "id", "id", "id < ?")
_AGAIN: Final = 3600


End = Callable[[Database, int, int, int], Awaitable[int]]
"""(database, now, keep, limit) -> number of the oldest lines that were removed: see `SqlAudit.prune`."""
Kept = Callable[[Database, int, int], Awaitable[str]]
"""(database, now, keep) -> the id below which `End` may remove lines."""


async def by_this_clock(_database: Database, now: int, keep: int) -> str:
    """Below which id lines may be removed, by the clock of this process alone. See `Kept`."""
    return first_id(now - keep)


async def line_by_line(database: Database, now: int, keep: int, limit: int) -> int:
    """Retention for a log in one table. Reads before it writes, so that an idle server takes no lock."""
    kept_from = first_id(now - keep)
    if await database.one(_LOOK, (kept_from,)) is None:
        return 0
    said = (PUT_META, (KEPT_FROM, kept_from), None)
    return await database.apply((said, (_REMOVE, (kept_from, limit), None))) - 1


@final
class Months:
    """Retention for a log partitioned by month. `drop` returns 1 if a month was dropped, 0 if none is due, -1 if it
    cannot be dropped now; the next try is then an hour later, since each try blocks all writers for a moment. `trim`
    removes lines outside the monthly partitions. `kept` answers below which id lines may be removed, by two clocks."""

    def __init__(self, drop: str, trim: str, kept: str) -> None:
        self._drop = drop
        self._trim = trim
        self._kept = kept
        self._not_before = 0

    async def remove(self, database: Database, now: int, keep: int, limit: int) -> int:
        """See `End`."""
        if not 0 < self._not_before - now <= _AGAIN:
            gone = await self._ask(database, self._drop, (now, keep))
            if gone > 0:
                return gone
            self._not_before = now + _AGAIN if gone < 0 else 0
        return await self._ask(database, self._trim, (now, keep, limit))

    async def kept_from(self, database: Database, now: int, keep: int) -> str:
        """See `Kept`."""
        row = await database.one(self._kept, (now, keep))
        return "" if row is None else row[0]

    @staticmethod
    async def _ask(database: Database, sql: str, params: tuple[int, ...]) -> int:
        row = await database.one(sql, params)
        return 0 if row is None else row[0]


def first_id(at: int) -> str:
    """The lower bound of all ids made at `at` (seconds) or later."""
    return f"aud_{max(at, 0) * 1000:012x}"
