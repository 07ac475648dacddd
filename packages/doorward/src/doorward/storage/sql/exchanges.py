"""Token exchanges in SQL: a row is made only while all that it rests on lives, and ends with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from doorward.core.model.revocation import HISTORY_BITS
from doorward.core.model.token_exchange import Exchange
from doorward.storage.sql.noun import TOKEN_GRACE, Credential, Expiring, SqlNoun
from doorward.storage.sql.revocations import NEXT, NUMBERED
from doorward.storage.sql.rows import found, from_row, to_row
from doorward.storage.sql.statements import Database, Write, told_by
from doorward.storage.sql.text import select

_COLUMNS = "id, combination, root, account_id, subject, actor, client_id, created_at, expires_at, ended_at"
_GET = select(_COLUMNS, "exchanges WHERE id = ?")
_LIVING = select(
    _COLUMNS,
    "exchanges WHERE combination = ? AND ended_at IS NULL AND expires_at > ? ORDER BY created_at DESC, id LIMIT 1",
)
_ENDS = select("ref", "exchange_ends WHERE exchange_id = ? ORDER BY ref")
# Locks the counter of revocations, whose writers all raise it first: whoever ends something waits, and then finds the new rows. Plain
# texts, which PostgreSQL runs alone: each on a snapshot that was taken after the lock.
_SEEN = (
    "UPDATE counters SET value = value WHERE name = 'revocations'"
    " AND value + 0 >= CAST(? AS BIGINT) AND value + 0 <= CAST(? AS BIGINT)"
)
_INSERT = (
    "INSERT INTO exchanges (id, combination, root, account_id, subject, actor, client_id, created_at, expires_at, ended_at)"
    " SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT),"
    " CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT) FROM counters WHERE name = 'revocations'"
    " AND NOT EXISTS (SELECT 1 FROM exchanges AS one WHERE one.combination = ? AND one.ended_at IS NULL AND one.expires_at > ?)"
    " AND (SELECT COUNT(*) FROM exchanges AS one WHERE one.root = ? AND one.ended_at IS NULL AND one.expires_at > ?)"
    " < CAST(? AS BIGINT)"
)
# an entry that was made since the view was read: what this row would rest on has ended
_INSERT_END = (
    "INSERT INTO exchange_ends (ref, exchange_id) SELECT CAST(? AS TEXT), CAST(? AS TEXT) FROM counters"
    " WHERE name = 'revocations' AND NOT EXISTS (SELECT 1 FROM revocations WHERE seq > CAST(? AS BIGINT) AND ref = ?)"
)
_END = (
    "UPDATE exchanges SET ended_at = ? WHERE id IN (SELECT exchange_id FROM exchange_ends WHERE ref = ?)"
    " AND ended_at IS NULL AND expires_at > ?"
)
# tokens of the app that is ended need no entries: one for its client_id covers them
_ENTER = (
    "INSERT INTO revocations (kind, ref, at, expires_at, seq) SELECT 'grant', id, ended_at, CAST(? AS BIGINT),"
    " (SELECT value FROM counters WHERE name = 'revocations') + ROW_NUMBER() OVER (ORDER BY id)"
    " FROM exchanges WHERE id IN (SELECT exchange_id FROM exchange_ends WHERE ref = ?)"
    " AND ended_at = ? AND expires_at > ? AND client_id <> ?"
)
# the same for all that rest on an API key for one API
_END_OF_KEYS = (
    "UPDATE exchanges SET ended_at = ? WHERE id IN (SELECT exchange_id FROM exchange_ends WHERE ref IN"
    " (SELECT token_prefix FROM api_keys WHERE audience = ? AND ended_at IS NULL AND expires_at > ?))"
    " AND ended_at IS NULL AND expires_at > ?"
)
_ENTER_OF_KEYS = (
    "INSERT INTO revocations (kind, ref, at, expires_at, seq) SELECT 'grant', id, ended_at, CAST(? AS BIGINT),"
    " (SELECT value FROM counters WHERE name = 'revocations') + ROW_NUMBER() OVER (ORDER BY id)"
    " FROM exchanges WHERE id IN (SELECT exchange_id FROM exchange_ends WHERE ref IN"
    " (SELECT token_prefix FROM api_keys WHERE audience = ? AND ended_at IS NULL AND expires_at > ?))"
    " AND ended_at = ? AND expires_at > ?"
)
MOST_OF_ROOT: Final = 64
"""Living rows of one sign-in, API key or trusted issuer, or of one app that acts for itself: each becomes an entry of the revocation view
when that ends."""
_PLACE = (1 << HISTORY_BITS) - 1


class SqlExchanges(SqlNoun):
    """Rows of token exchanges, kept until no token of theirs can be alive."""

    credentials: ClassVar = (
        Credential(
            kind="exchange",
            what="tokens by exchange (RFC 8693) for one of those that end",
            tables=("exchanges", "exchange_ends"),
            rests_on=("grant", "offline_grant", "api_key"),
        ),
    )
    expiring: ClassVar = (Expiring(table="exchanges", keep=TOKEN_GRACE),)
    with_account: ClassVar = ("exchanges",)

    def __init__(self, database: Database) -> None:
        self._db = database
        self._seen = told_by(database.history, _SEEN)

    async def get(self, exchange_id: str) -> Exchange | None:
        return await found(self._db, _GET, (exchange_id,), lambda row: from_row(Exchange, row))

    async def living(self, combination: str, now: int) -> Exchange | None:
        """The row whose id tokens of this combination begin with, if there is one that has neither ended nor expired."""
        return await found(self._db, _LIVING, (combination, now), lambda row: from_row(Exchange, row))

    async def ends(self, exchange_id: str) -> Sequence[str]:
        """The ids of all that the row rests on."""
        return [row[0] for row in await self._db.all(_ENDS, (exchange_id,))]

    def insert(self, exchange: Exchange, ends: Iterable[str], *, seen: int) -> Write:
        """A row that ends with each of `ends`, which includes its own id. `seen` is the number of the newest revocation that was considered.
        Guarded: loses when one of `ends` was revoked after that, when the combination has a living row, and when `MOST_OF_ROOT` rows of
        its root live."""
        one, now = exchange, exchange.created_at
        values = (*to_row(one), one.combination, now, one.root, now, MOST_OF_ROOT)
        return Write(
            (
                (self._seen, (seen, seen | _PLACE), 1),
                (_INSERT, values, 1),
                *((_INSERT_END, (ref, one.id, seen & _PLACE, ref), 1) for ref in dict.fromkeys(ends)),
            )
        )

    def end_with(self, ref: str, at: int, *, until: int, since: int) -> Write:
        """End the rows that rest on `ref`. Their tokens enter the revocation view until `until`, except those of the app `ref`. Rows that
        expired before `since` have no living tokens."""
        return Write(
            (
                NEXT,
                (_END, (at, ref, since), None),
                (_ENTER, (until, ref, at, since, ref), None),
                NUMBERED,
            )
        )

    def end_with_keys(self, audience: str, at: int, *, until: int, since: int) -> Write:
        """End the rows that rest on a live API key for `audience`, by what its tokens begin with now: before these get another beginning.
        `until` and `since` as for `end_with`."""
        return Write(
            (
                NEXT,
                (_END_OF_KEYS, (at, audience, at, since), None),
                (_ENTER_OF_KEYS, (until, audience, at, at, since), None),
                NUMBERED,
            )
        )
