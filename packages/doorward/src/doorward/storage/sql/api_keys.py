"""API keys in SQL: found by their id, bounded for each owner, ended with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from doorward.core.model.account import Account
from doorward.core.model.api_key import ApiKey
from doorward.storage.sql.noun import DAY, Credential, Expiring, SqlNoun
from doorward.storage.sql.revocations import NEXT, NUMBERED
from doorward.storage.sql.rows import ACCOUNT_COLUMNS, from_row, to_account, to_row, words
from doorward.storage.sql.statements import Database, Row, Write, guarded, write
from doorward.storage.sql.text import insert, qualified, select, update

_COLUMNS = (
    "id, account_id, client_id, name, audience, scopes, networks, secret_hash, previous_hash, previous_until, token_prefix,"
    " created_at, rotated_at, expires_at, used_at, warned, ended_at, end_reason"
)
_WIDTH = 18
_PAGE = select(_COLUMNS, "api_keys WHERE id > ? ORDER BY id LIMIT ?")
_OF_ACCOUNT = select(_COLUMNS, "api_keys WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT ?")
_OF_CLIENT = select(_COLUMNS, "api_keys WHERE client_id = ? ORDER BY created_at DESC, id DESC LIMIT ?")
_ANY_OF_ACCOUNT = select("1", "api_keys WHERE account_id = ? AND ended_at IS NULL AND expires_at > ? LIMIT 1")
# one round trip for everything that an exchange needs; an app's key has no account
_WITH_ACCOUNT = select(
    f"{qualified('api_keys', _COLUMNS)}, {qualified('accounts', ACCOUNT_COLUMNS)}",
    "api_keys LEFT JOIN accounts ON accounts.id = api_keys.account_id WHERE api_keys.id = ?",
)
_EXPIRING = select(
    f"{qualified('api_keys', _COLUMNS)}, {qualified('accounts', ACCOUNT_COLUMNS)}",
    "api_keys JOIN accounts ON accounts.id = api_keys.account_id WHERE api_keys.expires_at > ? AND api_keys.expires_at <= ?"
    " AND api_keys.ended_at IS NULL AND COALESCE(api_keys.warned, 999) > ? ORDER BY api_keys.expires_at LIMIT ?",
)
_INSERT = insert("api_keys", _COLUMNS)
# Plain texts, which PostgreSQL runs alone and on a snapshot of their own: after the owner's row was locked by the write before.
_LOCK_ACCOUNT = "UPDATE accounts SET id = id WHERE id = ? AND disabled_at IS NULL"
_FEW_OF_ACCOUNT = (
    "UPDATE api_keys SET id = id WHERE id = ? AND ? >="
    " (SELECT COUNT(*) FROM api_keys AS one WHERE one.account_id = ? AND one.ended_at IS NULL AND one.expires_at > ?)"
)
_FEW_OF_CLIENT = (
    "UPDATE api_keys SET id = id WHERE id = ? AND ? >="
    " (SELECT COUNT(*) FROM api_keys AS one WHERE one.client_id = ? AND one.ended_at IS NULL AND one.expires_at > ?)"
)
_ROTATE = update(
    "api_keys",
    "secret_hash = ?, previous_hash = ?, previous_until = ?, token_prefix = ?, rotated_at = ?, expires_at = ?, warned = NULL",
    "id = ? AND secret_hash = ? AND token_prefix = ? AND ended_at IS NULL AND expires_at > ?",
)
_END = update("api_keys", "ended_at = ?, end_reason = ?", "id = ? AND token_prefix = ? AND ended_at IS NULL")
_USED = update("api_keys", "used_at = ?", "id = ? AND (used_at IS NULL OR used_at <= ?)")
_WARN = update(
    "api_keys", "warned = ?", "id = ? AND COALESCE(warned, 999) > ? AND expires_at = ? AND ended_at IS NULL"
)
# The counter is incremented first, which locks it, so that the entries get consecutive numbers.
_END_OF_ACCOUNT = "UPDATE api_keys SET ended_at = ?, end_reason = ? WHERE account_id = ? AND ended_at IS NULL AND expires_at > ?"
_END_OF_CLIENT = "UPDATE api_keys SET ended_at = ?, end_reason = ? WHERE client_id = ? AND ended_at IS NULL AND expires_at > ?"
# Tokens of a person's key are for its API alone. An app may exchange those of its own keys for another API.
_ENTER_OF_ACCOUNT = (
    "INSERT INTO revocations (kind, ref, at, expires_at, audience, seq) SELECT 'grant', token_prefix, ended_at, CAST(? AS BIGINT), audience,"
    " (SELECT value FROM counters WHERE name = 'revocations') + ROW_NUMBER() OVER (ORDER BY id)"
    " FROM api_keys WHERE account_id = ? AND ended_at = ? AND end_reason = ?"
)
_ENTER_OF_CLIENT = (
    "INSERT INTO revocations (kind, ref, at, expires_at, seq) SELECT 'grant', token_prefix, ended_at, CAST(? AS BIGINT),"
    " (SELECT value FROM counters WHERE name = 'revocations') + ROW_NUMBER() OVER (ORDER BY id)"
    " FROM api_keys WHERE client_id = ? AND ended_at = ? AND end_reason = ?"
)

_CUT_OF_ACCOUNT = (
    "INSERT INTO revocations (kind, ref, at, expires_at, audience, seq) SELECT 'grant', token_prefix, CAST(? AS BIGINT), CAST(? AS BIGINT), audience,"
    " (SELECT value FROM counters WHERE name = 'revocations') + ROW_NUMBER() OVER (ORDER BY id)"
    " FROM api_keys WHERE account_id = ? AND ended_at IS NULL AND expires_at > ?"
)
_CUT_AT_API = (
    "INSERT INTO revocations (kind, ref, at, expires_at, audience, seq) SELECT 'grant', token_prefix, CAST(? AS BIGINT), CAST(? AS BIGINT),"
    " CASE WHEN client_id IS NULL THEN audience END,"
    " (SELECT value FROM counters WHERE name = 'revocations') + ROW_NUMBER() OVER (ORDER BY id)"
    " FROM api_keys WHERE audience = ? AND ended_at IS NULL AND expires_at > ?"
)
# a number that no earlier prefix has, since the counter was raised by the same commit
_PREFIX_OF_ACCOUNT = (
    "UPDATE api_keys SET token_prefix = id || '-' || (SELECT CAST(value AS TEXT) FROM counters WHERE name = 'revocations')"
    " WHERE account_id = ? AND ended_at IS NULL AND expires_at > ?"
)
_PREFIX_AT_API = (
    "UPDATE api_keys SET token_prefix = id || '-' || (SELECT CAST(value AS TEXT) FROM counters WHERE name = 'revocations')"
    " WHERE audience = ? AND ended_at IS NULL AND expires_at > ?"
)

MOST_LISTED = 200
"""Keys of one owner that are listed, ended ones too."""


class SqlApiKeys(SqlNoun):
    """API keys. Ended and expired ones stay for a month, so that their owner sees what became of them."""

    credentials: ClassVar = (
        Credential(kind="api_key", what="an API key, and the tokens made from it", tables=("api_keys",)),
    )
    expiring: ClassVar = (
        Expiring(table="api_keys", keep=30 * DAY),
        Expiring(table="api_keys", age="ended_at", keep=30 * DAY),
    )

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, key_id: str) -> tuple[ApiKey, Account | None] | None:
        """A key with the account that owns it, in one round trip."""
        row = await self._db.one(_WITH_ACCOUNT, (key_id,))
        return None if row is None else _both(row)

    async def page(self, *, after: str | None = None, limit: int = 100) -> Sequence[ApiKey]:
        """In order of id."""
        return [_key(row) for row in await self._db.all(_PAGE, (after or "", limit))]

    async def of_account(self, account_id: str, limit: int = MOST_LISTED) -> Sequence[ApiKey]:
        """Those of one person, newest first, ended and expired ones too."""
        return [_key(row) for row in await self._db.all(_OF_ACCOUNT, (account_id, limit))]

    async def any_of_account(self, account_id: str, now: int) -> bool:
        """Whether a person has a live key."""
        return await self._db.one(_ANY_OF_ACCOUNT, (account_id, now)) is not None

    async def of_client(self, client_id: str, limit: int = MOST_LISTED) -> Sequence[ApiKey]:
        """Those of one app, newest first, ended and expired ones too."""
        return [_key(row) for row in await self._db.all(_OF_CLIENT, (client_id, limit))]

    async def expiring_within(
        self, now: int, until: int, *, warned_above: int, limit: int
    ) -> Sequence[tuple[ApiKey, Account]]:
        """Keys of people that expire after `now` and not after `until`, and whose last warning was for more than `warned_above` days."""
        return _pairs(await self._db.all(_EXPIRING, (now, until, warned_above, limit)))

    def insert(self, key: ApiKey, *, most: int, now: int) -> Write:
        """Guarded: loses when the owner has `most` live keys, or is a person who is gone or disabled. Of any number at once exactly as many
        are made; those of an app need `registry.unchanged` before them for that."""
        insert_row = (
            _INSERT,
            to_row(key, scopes=" ".join(key.scopes), networks=" ".join(key.networks)),
            None,
        )
        if key.account_id is None:
            return Write((insert_row, (_FEW_OF_CLIENT, (key.id, most, key.client_id, now), 1)))
        owner = (_LOCK_ACCOUNT, (key.account_id,), 1)
        return Write((owner, insert_row, (_FEW_OF_ACCOUNT, (key.id, most, key.account_id, now), 1)))

    def rotate(self, old: ApiKey, new: ApiKey, *, now: int) -> Write:
        """Guarded: loses when the key was rotated, cut or ended since `old` was read, or has expired at `now`."""
        return guarded(
            _ROTATE,
            new.secret_hash,
            new.previous_hash,
            new.previous_until,
            new.token_prefix,
            new.rotated_at,
            new.expires_at,
            old.id,
            old.secret_hash,
            old.token_prefix,
            now,
        )

    def end(self, key: ApiKey, at: int, reason: str) -> Write:
        """Guarded: loses when it has ended, or its tokens got another prefix."""
        return guarded(_END, at, reason, key.id, key.token_prefix)

    def cut_of_account(self, account_id: str, at: int, until: int) -> Write:
        """End the tokens of all live keys of a person, which stay: the next tokens have another prefix. The ended ones enter the
        revocation view until `until`. Takes a few statements, independent of the number of keys."""
        return _cut_of((_CUT_OF_ACCOUNT, _PREFIX_OF_ACCOUNT), account_id, at, until)

    def cut_at_api(self, audience: str, at: int, until: int) -> Write:
        """The same for all live keys for one API."""
        return _cut_of((_CUT_AT_API, _PREFIX_AT_API), audience, at, until)

    def end_of_account(self, account_id: str, at: int, reason: str, until: int) -> Write:
        """End all live keys of a person; their tokens enter the revocation view until `until`."""
        return _end_of((_END_OF_ACCOUNT, _ENTER_OF_ACCOUNT), account_id, at, reason, until)

    def end_of_client(self, client_id: str, at: int, reason: str, until: int) -> Write:
        """End all live keys of an app; their tokens enter the revocation view until `until`."""
        return _end_of((_END_OF_CLIENT, _ENTER_OF_CLIENT), client_id, at, reason, until)

    def used(self, key_id: str, at: int, *, earlier: int) -> Write:
        """Set the time of the last use, if the one that is stored is not later than `earlier`."""
        return write(_USED, at, key_id, earlier)

    def warn(self, key: ApiKey, days: int) -> Write:
        """Record that the owner was warned `days` before the expiry. Guarded: one process does it, and not for a key that was rotated or
        ended in between."""
        return guarded(_WARN, days, key.id, days, key.expires_at)


def _end_of(texts: tuple[str, str], owner: str, at: int, reason: str, until: int) -> Write:
    end, enter = texts
    return Write(
        (NEXT, (end, (at, reason, owner, at), None), (enter, (until, owner, at, reason), None), NUMBERED)
    )


def _cut_of(texts: tuple[str, str], of: str, at: int, until: int) -> Write:
    enter, prefix = texts
    return Write((NEXT, (enter, (at, until, of, at), None), NUMBERED, (prefix, (of, at), None)))


def _key(row: Row) -> ApiKey:
    return from_row(ApiKey, row, scopes=words, networks=words)


def _both(row: Row) -> tuple[ApiKey, Account | None]:
    return _key(row[:_WIDTH]), None if row[_WIDTH] is None else to_account(row, _WIDTH)


def _pairs(rows: Sequence[Row]) -> list[tuple[ApiKey, Account]]:
    return [(_key(row[:_WIDTH]), to_account(row, _WIDTH)) for row in rows]
