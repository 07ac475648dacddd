"""How is the revocation view kept? As entries numbered in commit order, so that "everything after 41" misses nothing."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.model.revocation import HISTORY_BITS, Revocation
from doorward.stores.sql.statements import Database, Row, SqlWrite, Step, told_by
from doorward.stores.sql.text import select

_NEWEST = "SELECT value + 0 FROM counters WHERE name = 'revocations'"
_COLUMNS = "kind, ref, at, expires_at, before_at, seq"
_LIVE = select(_COLUMNS, "revocations WHERE expires_at > ? ORDER BY seq")
_SINCE = select(_COLUMNS, "revocations WHERE seq > ? AND expires_at > ? ORDER BY seq")
NEXT: Step = ("UPDATE counters SET value = value + 1 WHERE name = 'revocations'", (), None)
NUMBERED: Step = (
    "UPDATE counters SET value = (SELECT MAX(seq) FROM revocations)"
    " WHERE name = 'revocations' AND value < (SELECT MAX(seq) FROM revocations)",
    (),
    None,
)
"""After very many entries of one statement, which were numbered from `NEXT` on: the counter goes where they end."""
_INSERT = (
    "INSERT INTO revocations (kind, ref, at, expires_at, before_at, seq)"
    " VALUES (?, ?, ?, ?, ?, (SELECT value FROM counters WHERE name = 'revocations'))"
)


class SqlRevocations:
    """`ports.store.Revocations` in SQL."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._newest = told_by(database.history, _NEWEST)

    async def live(self, now: int) -> tuple[int, Sequence[Revocation]]:
        newest, rows = await self._db.snapshot((self._newest, ()), (_LIVE, (now,)))
        return newest[0][0], [_revocation(row) for row in rows]

    async def since(self, seq: int, now: int) -> tuple[int, Sequence[Revocation]]:
        place = seq & (1 << HISTORY_BITS) - 1
        newest, rows = await self._db.snapshot((self._newest, ()), (_SINCE, (place, now)))
        return newest[0][0], [_revocation(row) for row in rows]

    async def newest(self) -> int:
        row = await self._db.one(self._newest, ())
        return row[0] if row else 0

    def insert(self, revocation: Revocation) -> SqlWrite:
        r = revocation
        return SqlWrite((NEXT, (_INSERT, (r.kind, r.ref, r.at, r.expires_at, r.before), None)))


def _revocation(row: Row) -> Revocation:
    return Revocation(*row)
