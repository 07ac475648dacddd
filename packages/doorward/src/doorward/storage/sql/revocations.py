"""Revocation view: entries numbered in commit order, so that "everything after 41" is complete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from doorward.core.model.revocation import HISTORY_BITS, Revocation
from doorward.storage.sql.noun import Credential, Expiring, SqlNoun
from doorward.storage.sql.statements import Database, Param, Step, Write, told_by
from doorward.storage.sql.text import ALL, Statement, select, update

_NEWEST = "SELECT value + 0 FROM counters WHERE name = 'revocations'"
_COLUMNS = "kind, ref, at, expires_at, before_at, seq, audience"
_LIVE = select(_COLUMNS, "revocations WHERE expires_at > ? ORDER BY seq")
_SINCE = select(_COLUMNS, "revocations WHERE seq > ? AND expires_at > ? ORDER BY seq LIMIT ?")
NEXT: Step = (update("counters", "value = value + 1", "name = 'revocations'"), (), None)
NUMBER = "(SELECT value FROM counters WHERE name = 'revocations')"
"""The number that `NEXT` gave."""
NUMBERED: Step = (
    "UPDATE counters SET value = (SELECT MAX(seq) FROM revocations)"
    " WHERE name = 'revocations' AND value < (SELECT MAX(seq) FROM revocations)",
    (),
    None,
)
"""Sets the counter to the last number after one statement that made many entries, numbered from `NEXT` on."""
_INSERT = Statement(
    "INSERT INTO revocations (kind, ref, at, expires_at, before_at, audience, seq)"
    " VALUES (?, ?, ?, ?, ?, ?, (SELECT value FROM counters WHERE name = 'revocations'))",
    "revocations",
    "counters",
)
# The counter is incremented first: its row stays locked until the end, so that each concurrent writer sees the previous
# entry.
_INSERT_HELD = (
    "INSERT INTO revocations (kind, ref, at, expires_at, before_at, audience, holder, seq)"
    " SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT),"
    " CAST(? AS TEXT), value"
    " FROM counters WHERE name = 'revocations'"
)
_HELD = select("1", "revocations WHERE holder = ? AND expires_at > ? AND before_at IS NULL LIMIT ?")
_FEW = select("COUNT(*)", f"({_HELD}) AS held")
_AS_FAR = select("1", "revocations WHERE holder = ? AND expires_at > ? AND before_at >= ?")
_INSERT_FEW = f"{_INSERT_HELD} AND ({_FEW}) < CAST(? AS BIGINT)"
_INSERT_LATER = f"{_INSERT_HELD} AND NOT EXISTS ({_AS_FAR})"
_EARLIER = "DELETE FROM revocations WHERE holder = ? AND before_at < ? AND expires_at <= ?"


class SqlRevocations(SqlNoun):
    """The entries of the revocation view, numbered in commit order."""

    credentials: ClassVar = (
        Credential(kind="app_token", what="access tokens that an app got for itself; they have no row"),
    )
    no_credentials: ClassVar = {"revocations": "what has ended"}
    expiring: ClassVar = (Expiring(table="revocations", key="seq"),)

    def __init__(self, database: Database) -> None:
        self._db = database
        self._newest = told_by(database.history, _NEWEST)

    async def live(self, now: int) -> tuple[int, Sequence[Revocation]]:
        """The newest seq, and every entry that has not expired."""
        newest, rows = await self._db.snapshot((self._newest, ()), (_LIVE, (now,)))
        return newest[0][0], [Revocation(*row) for row in rows]

    async def since(self, seq: int, now: int, limit: int = ALL) -> tuple[int, Sequence[Revocation]]:
        """The newest seq, and the entries after `seq`, at most `limit`; invalid when the two belong to different
        histories (`same_history`)."""
        place = seq & (1 << HISTORY_BITS) - 1
        newest, rows = await self._db.snapshot((self._newest, ()), (_SINCE, (place, now, limit)))
        return newest[0][0], [Revocation(*row) for row in rows]

    async def newest(self) -> int:
        row = await self._db.one(self._newest, ())
        return row[0] if row else 0

    def insert(self, revocation: Revocation) -> Write:
        return Write((NEXT, (_INSERT, _values(revocation), None)))

    def insert_few(self, revocation: Revocation, *, holder: str, most: int, now: int) -> Write:
        """An entry for a single token of `holder`, a grant or an app. Guarded: loses when the holder has `most` such
        entries that have not expired at `now`; concurrent requests are stored up to exactly the limit."""
        values = (*_values(revocation), holder, holder, now, most, most)
        return Write((NEXT, (_INSERT_FEW, values, 1)))

    def insert_later(self, revocation: Revocation, *, now: int) -> Write:
        """An entry with `before`, which replaces earlier entries of that `ref` made by this method. Guarded: loses when
        an existing one reaches as far."""
        r, holder = revocation, revocation.ref
        values = (*_values(r), holder, holder, now, r.before)
        return Write((NEXT, (_INSERT_LATER, values, 1), (_EARLIER, (holder, r.before, r.expires_at), None)))


def _values(r: Revocation) -> tuple[Param, ...]:
    return r.kind, r.ref, r.at, r.expires_at, r.before, r.audience
