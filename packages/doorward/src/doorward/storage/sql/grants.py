"""Grants, authorization codes and refresh tokens in SQL: a code is redeemed once and a refresh token spent once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from doorward.core.model.account import Account
from doorward.core.model.client import self_registered
from doorward.core.model.grant import AuthorizationCode, Grant, RefreshToken
from doorward.core.model.self_registered import KEPT
from doorward.storage.sql.noun import DAY, TOKEN_GRACE, Credential, Expiring, SqlNoun
from doorward.storage.sql.revocations import NEXT, NUMBERED
from doorward.storage.sql.rows import (
    ACCOUNT_COLUMNS,
    CODE_COLUMNS,
    GRANT_COLUMNS,
    GRANT_WIDTH,
    REFRESH_COLUMNS,
    REFRESH_WIDTH,
    found,
    from_recent,
    from_row,
    stored_email,
    to_account,
    to_grant,
    to_refresh,
    to_row,
)
from doorward.storage.sql.statements import Database, Write, guarded, to_json, write
from doorward.storage.sql.sweep import END_OF_CLIENT, SWEEP_ENDS
from doorward.storage.sql.text import ALL, delete, insert, qualified, select, update, update_all

_GET = select(GRANT_COLUMNS, "grants WHERE id = ?")
_LIVE = select(GRANT_COLUMNS, "grants WHERE ended_at IS NULL AND expires_at > ?")
_LIVE_OF_ACCOUNT = f"{_LIVE} AND account_id = ? ORDER BY created_at DESC, id DESC LIMIT ?"
_LIVE_OF_SESSION = f"{_LIVE} AND session_id = ? ORDER BY created_at DESC, id DESC LIMIT ?"
_CONNECTED = (
    "SELECT 1 FROM grants WHERE ended_at IS NULL AND expires_at > ? AND account_id = ? AND client_id = ?"
)
_HELD_OF_ACCOUNT = select(
    "client_id, audience, scopes, MIN(created_at)",
    "grants WHERE ended_at IS NULL AND expires_at > ? AND account_id = ?"
    " GROUP BY client_id, audience, scopes ORDER BY MAX(created_at) DESC, client_id, audience, scopes",
)
_INSERT = insert("grants", GRANT_COLUMNS)
# An app that no operator registered is kept while it is used.
_USED = "used_at = ?, expires_at = CASE WHEN expires_at < ? THEN ? ELSE expires_at END"
_USED_APP = update("registered_apps", _USED, "id = ?")
_USED_DOCUMENT = update("client_documents", _USED, "url = ?")
_END = update("grants", "ended_at = ?, end_reason = ?", "id = ? AND ended_at IS NULL")
# Many rows at once. The counter is incremented first, which locks it, so that the entries get consecutive numbers.
_END_OF_ACCOUNT = "UPDATE grants SET ended_at = ?, end_reason = ? WHERE ended_at IS NULL AND expires_at > ? AND account_id = ?"
_ENTER_OF_ACCOUNT = (
    "INSERT INTO revocations (kind, ref, at, expires_at, audience, seq) SELECT 'grant', id, ended_at, CAST(? AS BIGINT),"
    # whether the app is not one of a list; both dialects have REPLACE, and it knows no patterns
    " CASE WHEN REPLACE(CAST(? AS TEXT), ' ' || client_id || ' ', '') = CAST(? AS TEXT) THEN audience END,"
    " (SELECT value FROM counters WHERE name = 'revocations') + ROW_NUMBER() OVER (ORDER BY id)"
    " FROM grants WHERE ended_at = ? AND end_reason = ? AND account_id = ?"
)
_ONLY = {
    "session_id": " AND session_id = ? AND offline = 0",
    "whole_session": " AND session_id = ?",
    "client_id": " AND client_id = ?",
    "but": " AND session_id <> ? AND offline = 0",
}
_END_ALL_OF_CLIENT = update_all(
    "grants", "ended_at = ?, end_reason = ?", "client_id = ? AND ended_at IS NULL"
)
_RETURN = delete("departed_clients", "client_id = ?")
_DEPART = insert("departed_clients", "client_id, at, reason", "ON CONFLICT (client_id) DO NOTHING")

_CODE = select(CODE_COLUMNS, "authorization_codes WHERE hash = ?")
_INSERT_CODE = insert("authorization_codes", CODE_COLUMNS)
_REDEEM = update("authorization_codes", "redeemed_at = ?", "hash = ? AND redeemed_at IS NULL")

_REFRESH = select(
    ", ".join((qualified("refresh_tokens", REFRESH_COLUMNS), qualified("grants", GRANT_COLUMNS))),
    "refresh_tokens JOIN grants ON grants.id = refresh_tokens.grant_id WHERE refresh_tokens.grant_id = ?",
)
# one round trip for everything that a refresh needs; the account may have been deleted
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
# the same statement checks the family: a grant that ended after it was read yields no successor
_ALIVE = (
    "EXISTS (SELECT 1 FROM grants"
    " WHERE grants.id = refresh_tokens.grant_id AND grants.ended_at IS NULL AND grants.expires_at >= ?)"
)
# … and that the person is as the tokens say that go out with this rotation: neither disabled nor with fewer roles by now
_SPEND = update(
    "refresh_tokens",
    "generation = ?, hash = ?, created_at = ?, recent = ?",
    "grant_id = ? AND hash = ? AND EXISTS (SELECT 1 FROM grants JOIN accounts ON accounts.id = grants.account_id"
    " WHERE grants.id = refresh_tokens.grant_id AND grants.ended_at IS NULL AND grants.expires_at >= ?"
    " AND accounts.disabled_at IS NULL AND accounts.role_names = ? AND accounts.email = ?"
    " AND COALESCE(accounts.name, '') = ? AND COALESCE(accounts.given_name, '') = ?"
    " AND COALESCE(accounts.family_name, '') = ? AND COALESCE(accounts.locale, '') = ?"
    " AND COALESCE(accounts.zoneinfo, '') = ? AND COALESCE(accounts.updated_at, -1) = ?)",
    "grants",
    "accounts",
    types="BIGINT BLOB BIGINT BLOB TEXT BLOB BIGINT TEXT TEXT TEXT TEXT TEXT TEXT TEXT BIGINT",
)
# the chain is unchanged since the decision, and no other request got the late repeat meanwhile
_REPEAT_LATE = update(
    "refresh_tokens",
    "late_at = ?",
    f"grant_id = ? AND hash = ? AND COALESCE(late_at, 0) = ? AND {_ALIVE}",
    "grants",
)


class SqlGrants(SqlNoun):
    """Grants, authorization codes, refresh tokens: one row for each grant, independent of the number of rotations."""

    credentials: ClassVar = (
        Credential(kind="grant", what="the access of an app until the session ends", tables=("grants",)),
        Credential(kind="offline_grant", what="the access of an app beyond the session (offline_access)"),
        Credential(
            kind="authorization_code",
            what="a code that was not redeemed",
            tables=("authorization_codes",),
            rests_on=("grant", "offline_grant"),
        ),
        Credential(
            kind="refresh_token",
            what="the refresh token of a grant",
            tables=("refresh_tokens",),
            rests_on=("grant", "offline_grant"),
        ),
    )
    no_credentials: ClassVar = {"departed_clients": "apps whose grants are still being ended"}
    expiring: ClassVar = (
        Expiring(table="authorization_codes", key="hash", keep=DAY),
        Expiring(table="refresh_tokens", key="grant_id", keep=TOKEN_GRACE),
        Expiring(table="grants", keep=TOKEN_GRACE),
    )

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, grant_id: str) -> Grant | None:
        return await found(self._db, _GET, (grant_id,), to_grant)

    async def code(self, code_hash: bytes) -> AuthorizationCode | None:
        return await found(self._db, _CODE, (code_hash,), lambda row: from_row(AuthorizationCode, row))

    async def refresh(self, grant_id: str) -> tuple[RefreshToken, Grant] | None:
        """The refresh token of a grant and the grant, in one round trip."""
        row = await self._db.one(_REFRESH, (grant_id,))
        return None if row is None else (to_refresh(row), to_grant(row, REFRESH_WIDTH))

    async def refresh_of_person(self, grant_id: str) -> tuple[RefreshToken, Grant, Account | None] | None:
        """The same with the account, as a refresh needs it; also one round trip."""
        row = await self._db.one(_REFRESH_OF_PERSON, (grant_id,))
        if row is None:
            return None
        start = REFRESH_WIDTH + GRANT_WIDTH
        account = None if row[start] is None else to_account(row, start)
        return to_refresh(row), to_grant(row, REFRESH_WIDTH), account

    async def live_of_account(self, account_id: str, now: int, limit: int = ALL) -> Sequence[Grant]:
        """Newest first, including those of a session; at most `limit`."""
        rows = await self._db.all(_LIVE_OF_ACCOUNT, (now, account_id, limit))
        return [to_grant(row) for row in rows]

    async def live_of_session(self, session_id: str, now: int, limit: int = ALL) -> Sequence[Grant]:
        rows = await self._db.all(_LIVE_OF_SESSION, (now, session_id, limit))
        return [to_grant(row) for row in rows]

    async def connected(
        self, account_id: str, client_id: str, now: int, *, session_id: str | None = None
    ) -> bool:
        """Whether a person has a live grant to an app; with `session_id` one that was made in that session."""
        if session_id is None:
            row = await self._db.one(f"{_CONNECTED} LIMIT 1", (now, account_id, client_id))
        else:
            of = (now, account_id, client_id, session_id)
            row = await self._db.one(f"{_CONNECTED} AND session_id = ? LIMIT 1", of)
        return row is not None

    async def held_of_account(
        self, account_id: str, now: int
    ) -> Sequence[tuple[str, str, tuple[str, ...], int]]:
        """(app, audience, scopes, since when) of all live grants, without duplicates; newest first."""
        rows = await self._db.all(_HELD_OF_ACCOUNT, (now, account_id))
        return [(client, audience, tuple(scopes.split()), since) for client, audience, scopes, since in rows]

    def insert(self, grant: Grant) -> Write:
        """An app that no operator registered is kept until long after its end."""
        params = to_row(
            grant,
            scopes=" ".join(grant.scopes),
            amr=" ".join(grant.amr),
            offline=int(grant.offline),
            claims=to_json(grant.claims),
        )
        made = write(_INSERT, *params)
        if not self_registered(grant.client_id):
            return made
        table = _USED_DOCUMENT if grant.client_id.startswith("https://") else _USED_APP
        kept = grant.expires_at + KEPT
        return Write((*made.steps, (table, (grant.created_at, kept, kept, grant.client_id), None)))

    def end(self, grant_id: str, at: int, reason: str) -> Write:
        """Not guarded; the refresh token of an ended grant is invalid too."""
        return write(_END, at, reason, grant_id)

    def end_first(self, grant_id: str, at: int, reason: str) -> Write:
        """Guarded `end`: loses when the grant has ended, so that concurrent calls make one entry in the revocation
        view."""
        return guarded(_END, at, reason, grant_id)

    def end_of_account(
        self,
        account_id: str,
        at: int,
        reason: str,
        until: int,
        *,
        exchanging: Sequence[str],
        **only: str,
    ) -> Write:
        """End all live grants of an account. `only` restricts this: to a `client_id`; or to a `session_id`, without
        offline grants; to a `whole_session`, with them; or to every session `but` one, without offline grants and grants without a session. Each enters
        the revocation view until `until`, for its own API, or for all where its app is among the `exchanging`: those that may have other
        tokens. Takes a few statements, independent of the number of grants."""
        also = "".join(_ONLY[name] for name in only)
        of = (account_id, *only.values())
        apps = f" {' '.join(exchanging)} "
        return Write(
            (
                NEXT,
                (_END_OF_ACCOUNT + also, (at, reason, at, *of), None),
                (_ENTER_OF_ACCOUNT + also, (until, apps, apps, at, reason, *of), None),
                NUMBERED,
            )
        )

    def end_of_client(self, client_id: str, at: int, reason: str) -> Write:
        """End all grants of a deleted app: the first few hundred in this commit, the rest step by step in `sweep`."""
        return Write(
            (
                (END_OF_CLIENT, (at, reason, client_id, SWEEP_ENDS), None),
                (_DEPART, (client_id, at, reason), None),
            )
        )

    def end_all_of_client(self, client_id: str, at: int, reason: str) -> Write:
        """End all grants of an app that stays, in this commit, however many. Those that `end_of_client` left to `sweep` are among them."""
        return Write(((_END_ALL_OF_CLIENT, (at, reason, client_id), None), (_RETURN, (client_id,), None)))

    def insert_code(self, code: AuthorizationCode) -> Write:
        return write(_INSERT_CODE, *to_row(code))

    def redeem_code(self, code_hash: bytes, at: int) -> Write:
        """Guarded: a code is redeemed once (OAuth 2.1 §4.1.3)."""
        return guarded(_REDEEM, at, code_hash)

    def insert_refresh(self, token: RefreshToken) -> Write:
        return write(_INSERT_REFRESH, *to_row(token, recent=from_recent(token.recent)))

    def spend_refresh(self, old: RefreshToken, new: RefreshToken, account: Account) -> Write:
        """Guarded: `new` replaces `old` if that is still the newest, its grant is live at `new.created_at`, and its person is neither
        disabled nor changed in what tokens say of `account`; otherwise it loses."""
        return guarded(
            _SPEND,
            new.generation,
            new.hash,
            new.created_at,
            from_recent(new.recent),
            old.grant_id,
            old.hash,
            new.created_at,
            to_json(account.role_names),
            stored_email(account),
            account.name or "",
            account.given_name or "",
            account.family_name or "",
            account.locale or "",
            account.zoneinfo or "",
            -1 if account.updated_at is None else account.updated_at,
        )

    def repeat_late(self, token: RefreshToken, at: int) -> Write:
        """Set `late_at` to `at`. Guarded: `token` is still the newest, its `late_at` is unchanged, and its grant is
        live at `at`."""
        return guarded(_REPEAT_LATE, at, token.grant_id, token.hash, token.late_at or 0, at)
