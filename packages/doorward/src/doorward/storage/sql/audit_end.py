"""How does the record end? Lines go with their age alone, oldest first, a few at a time or a month at once.

An id begins with its time (RFC 9562 §5.7), so the key says how old a line is. The database lets a line go only if it is older than
what `meta` says of the record's beginning; that is said in the same transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, final

from doorward.storage.sql.database_state import PUT_META
from doorward.storage.sql.statements import Database
from doorward.storage.sql.text import delete_oldest, select

KEPT_FROM: Final = "audit.kept_from"
"""The name in `meta` of the id where the record begins: what is older may go."""
_LOOK: Final = select("1", "audit WHERE id < ? ORDER BY id LIMIT 1")
_REMOVE: Final = delete_oldest("audit", "id", "id", "id < ?")
_AGAIN: Final = 3600


End = Callable[[Database, int, int, int], Awaitable[int]]
"""(database, now, keep, limit) -> how many of the oldest lines it removed: see `SqlAudit.let_go`."""


async def line_by_line(database: Database, now: int, keep: int, limit: int) -> int:
    """Where the record is one table. Looks before it writes, so that an idle server takes no lock."""
    kept_from = first_id(now - keep)
    if await database.one(_LOOK, (kept_from,)) is None:
        return 0
    said = (PUT_META, (KEPT_FROM, kept_from), None)
    return await database.apply((said, (_REMOVE, (kept_from, limit), None))) - 1


@final
class Months:
    """Where the record lies in months: `drop` answers 1 for a month that went, 0 when none is due, -1 when it cannot go now, and then
    an hour passes before the next try, since each makes everybody wait for a moment. `trim` takes what lies in no month."""

    def __init__(self, drop: str, trim: str) -> None:
        self._drop = drop
        self._trim = trim
        self._not_before = 0

    async def remove(self, database: Database, now: int, keep: int, limit: int) -> int:
        """See `End`."""
        if not 0 < self._not_before - now <= _AGAIN:
            gone = await self._ask(database, self._drop, (now, keep))
            if gone > 0:
                return gone
            self._not_before = now + _AGAIN if gone < 0 else 0
        return await self._ask(database, self._trim, (now, keep, limit))

    @staticmethod
    async def _ask(database: Database, sql: str, params: tuple[int, ...]) -> int:
        row = await database.one(sql, params)
        return 0 if row is None else row[0]


def first_id(at: int) -> str:
    """What no id made at `at` (seconds) or later is smaller than."""
    return f"aud_{max(at, 0) * 1000:012x}"
