"""How are grants and what hangs on them kept? A code is redeemed once and a refresh token spent once, whoever else tries."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.core.model.account import Account
from doorward.core.model.grant import AuthorizationCode, Grant, RefreshToken
from doorward.storage.sql.revocations import NEXT, NUMBERED
from doorward.storage.sql.rows import (
    ACCOUNT_COLUMNS,
    CODE_COLUMNS,
    GRANT_COLUMNS,
    GRANT_WIDTH,
    REFRESH_COLUMNS,
    REFRESH_WIDTH,
    from_recent,
    to_account,
    to_code,
    to_grant,
    to_refresh,
    to_row,
)
from doorward.storage.sql.statements import Database, SqlWrite, guarded, to_json, write
from doorward.storage.sql.sweep import END_OF_CLIENT, SWEEP_ENDS, TOKEN_GRACE
from doorward.storage.sql.text import insert, qualified, select, update

_GET = select(GRANT_COLUMNS, "grants WHERE id = ?")
_LIVE = select(GRANT_COLUMNS, "grants WHERE ended_at IS NULL AND expires_at > ?")
_LIVE_OF_ACCOUNT = f"{_LIVE} AND account_id = ? ORDER BY created_at DESC, id DESC LIMIT ?"
_LIVE_OF_SESSION = f"{_LIVE} AND session_id = ? ORDER BY created_at DESC, id DESC LIMIT ?"
_HELD_OF_ACCOUNT = select(
    "client_id, audience, scopes, MIN(created_at)",
    "grants WHERE ended_at IS NULL AND expires_at > ? AND account_id = ?"
    " GROUP BY client_id, audience, scopes ORDER BY MAX(created_at) DESC, client_id, audience, scopes",
)
_INSERT = insert("grants", GRANT_COLUMNS)
# two sign-ins may draw the same place in a status list: the second one loses and draws again
_INSERT_LISTED = insert(
    "grants",
    GRANT_COLUMNS,
    "ON CONFLICT (status_list, status_index) WHERE status_list IS NOT NULL DO NOTHING",
)
_END = update("grants", "ended_at = ?, end_reason = ?", "id = ? AND ended_at IS NULL")
# Very many at once. The counter is raised first, which holds it, so that the entries are numbered without a gap to anybody else.
_END_OF_ACCOUNT = "UPDATE grants SET ended_at = ?, end_reason = ? WHERE ended_at IS NULL AND expires_at > ? AND account_id = ?"
_ENTER_OF_ACCOUNT = (
    "INSERT INTO revocations (kind, ref, at, expires_at, seq) SELECT 'grant', id, ended_at, CAST(? AS BIGINT),"
    " (SELECT value FROM counters WHERE name = 'revocations') + ROW_NUMBER() OVER (ORDER BY id)"
    " FROM grants WHERE ended_at = ? AND end_reason = ? AND account_id = ?"
)
_ONLY = {
    "session_id": " AND session_id = ? AND offline = 0",
    "client_id": " AND client_id = ?",
    "but": " AND session_id <> ? AND offline = 0",
}
_ALL = 2**62
_DEPART = insert("departed_clients", "client_id, at, reason", "ON CONFLICT (client_id) DO NOTHING")
_STATUS_INDEXES = (
    "SELECT status_index FROM grants WHERE status_list = ? AND ended_at IS NOT NULL AND expires_at > ?"
    " ORDER BY status_index"
)
_STATUS_TAKEN = "SELECT 1 FROM grants WHERE status_list = ? AND status_index = ?"

_CODE = select(CODE_COLUMNS, "authorization_codes WHERE hash = ?")
_INSERT_CODE = insert("authorization_codes", CODE_COLUMNS)
_REDEEM = update("authorization_codes", "redeemed_at = ?", "hash = ? AND redeemed_at IS NULL")

_REFRESH = select(
    ", ".join((qualified("refresh_tokens", REFRESH_COLUMNS), qualified("grants", GRANT_COLUMNS))),
    "refresh_tokens JOIN grants ON grants.id = refresh_tokens.grant_id WHERE refresh_tokens.grant_id = ?",
)
# one round trip for everything that a refresh decides on; the account may be gone by now
_REFRESH_OF_PERSON = select(
    ", ".join(
        (
            qualified("refresh_tokens", REFRESH_COLUMNS),
            qualified("grants", GRANT_COLUMNS),
            qualified("accounts", ACCOUNT_COLUMNS),
        )
    ),
    "refresh_tokens JOIN grants ON grants.id = refresh_tokens.grant_id"
    " LEFT JOIN accounts ON accounts.id = grants.account_id WHERE refresh_tokens.grant_id = ?",
)
_INSERT_REFRESH = insert("refresh_tokens", REFRESH_COLUMNS)
# the family is checked in the same statement: a grant that ended after it was read yields no successor
_ALIVE = (
    "EXISTS (SELECT 1 FROM grants"
    " WHERE grants.id = refresh_tokens.grant_id AND grants.ended_at IS NULL AND grants.expires_at >= ?)"
)
_SPEND = update(
    "refresh_tokens",
    "generation = ?, hash = ?, created_at = ?, recent = ?",
    f"grant_id = ? AND hash = ? AND {_ALIVE}",
    "grants",
)
# the chain stands where it stood when it was decided, and nobody else was given the late repeat meanwhile
_REPEAT_LATE = update(
    "refresh_tokens",
    "late_at = ?",
    f"grant_id = ? AND hash = ? AND COALESCE(late_at, 0) = ? AND {_ALIVE}",
    "grants",
)


class SqlGrants:
    """`ports.store.Grants` in SQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, grant_id: str) -> Grant | None:
        row = await self._db.one(_GET, (grant_id,))
        return None if row is None else to_grant(row)

    async def code(self, code_hash: bytes) -> AuthorizationCode | None:
        row = await self._db.one(_CODE, (code_hash,))
        return None if row is None else to_code(row)

    async def refresh(self, grant_id: str) -> tuple[RefreshToken, Grant] | None:
        row = await self._db.one(_REFRESH, (grant_id,))
        return None if row is None else (to_refresh(row), to_grant(row, REFRESH_WIDTH))

    async def refresh_of_person(self, grant_id: str) -> tuple[RefreshToken, Grant, Account | None] | None:
        row = await self._db.one(_REFRESH_OF_PERSON, (grant_id,))
        if row is None:
            return None
        start = REFRESH_WIDTH + GRANT_WIDTH
        account = None if row[start] is None else to_account(row, start)
        return to_refresh(row), to_grant(row, REFRESH_WIDTH), account

    async def live_of_account(self, account_id: str, now: int, limit: int | None = None) -> Sequence[Grant]:
        rows = await self._db.all(_LIVE_OF_ACCOUNT, (now, account_id, _ALL if limit is None else limit))
        return [to_grant(row) for row in rows]

    async def live_of_session(self, session_id: str, now: int, limit: int | None = None) -> Sequence[Grant]:
        rows = await self._db.all(_LIVE_OF_SESSION, (now, session_id, _ALL if limit is None else limit))
        return [to_grant(row) for row in rows]

    async def held_of_account(
        self, account_id: str, now: int
    ) -> Sequence[tuple[str, str, tuple[str, ...], int]]:
        rows = await self._db.all(_HELD_OF_ACCOUNT, (now, account_id))
        return [(client, audience, tuple(scopes.split()), since) for client, audience, scopes, since in rows]

    def insert(self, grant: Grant) -> SqlWrite:
        params = to_row(
            grant,
            scopes=" ".join(grant.scopes),
            amr=" ".join(grant.amr),
            offline=int(grant.offline),
            claims=to_json(grant.claims),
        )
        return write(_INSERT, *params) if grant.status_list is None else guarded(_INSERT_LISTED, *params)

    def end(self, grant_id: str, at: int, reason: str) -> SqlWrite:
        return write(_END, at, reason, grant_id)

    def end_first(self, grant_id: str, at: int, reason: str) -> SqlWrite:
        return guarded(_END, at, reason, grant_id)

    def end_of_account(self, account_id: str, at: int, reason: str, until: int, **only: str) -> SqlWrite:
        also = "".join(_ONLY[name] for name in only)
        of = (account_id, *only.values())
        return SqlWrite(
            (
                NEXT,
                (_END_OF_ACCOUNT + also, (at, reason, at, *of), None),
                (_ENTER_OF_ACCOUNT + also, (until, at, reason, *of), None),
                NUMBERED,
            )
        )

    def end_of_client(self, client_id: str, at: int, reason: str) -> SqlWrite:
        return SqlWrite(
            (
                (END_OF_CLIENT, (at, reason, client_id, SWEEP_ENDS), None),
                (_DEPART, (client_id, at, reason), None),
            )
        )

    def insert_code(self, code: AuthorizationCode) -> SqlWrite:
        return write(_INSERT_CODE, *to_row(code))

    def redeem_code(self, code_hash: bytes, at: int) -> SqlWrite:
        return guarded(_REDEEM, at, code_hash)

    def insert_refresh(self, token: RefreshToken) -> SqlWrite:
        return write(_INSERT_REFRESH, *to_row(token, recent=from_recent(token.recent)))

    def spend_refresh(self, old: RefreshToken, new: RefreshToken) -> SqlWrite:
        return guarded(
            _SPEND,
            new.generation,
            new.hash,
            new.created_at,
            from_recent(new.recent),
            old.grant_id,
            old.hash,
            new.created_at,
        )

    def repeat_late(self, token: RefreshToken, at: int) -> SqlWrite:
        return guarded(_REPEAT_LATE, at, token.grant_id, token.hash, token.late_at or 0, at)

    async def status_indexes(self, list_id: int, now: int) -> Sequence[int]:
        return [row[0] for row in await self._db.all(_STATUS_INDEXES, (list_id, now - TOKEN_GRACE))]

    async def status_index_taken(self, list_id: int, index: int) -> bool:
        return await self._db.one(_STATUS_TAKEN, (list_id, index)) is not None
