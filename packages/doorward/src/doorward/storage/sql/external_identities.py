"""Accounts at OpenID providers in SQL: each is a row of `factors` and one here, and ends with the former."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from doorward.core.model.provider import ExternalIdentity, PendingIdentity, UpstreamSession
from doorward.storage.sql.noun import Credential, Expiring, SqlNoun
from doorward.storage.sql.rows import found, from_row, to_row
from doorward.storage.sql.statements import Database, Row, Write, guarded, to_json, write
from doorward.storage.sql.text import insert, qualified, select, update

_OWN = "issuer, subject, email, last_used_at, mapped_roles, typed_as"
_READ = f"external_identities.factor_id, factors.account_id, {qualified('external_identities', _OWN)}"
_JOINED = "external_identities JOIN factors ON factors.id = external_identities.factor_id"
_BY_SUBJECT = select(
    _READ, f"{_JOINED} WHERE external_identities.issuer = ? AND external_identities.subject = ?"
)
_OF_ACCOUNT = select(
    _READ,
    f"{_JOINED} WHERE factors.account_id = ? ORDER BY factors.created_at, external_identities.factor_id",
)
_INSERT = insert("external_identities", f"factor_id, {_OWN}", "ON CONFLICT (issuer, subject) DO NOTHING")
_USED = update("external_identities", "last_used_at = ?", "factor_id = ?")
_MAP = update("external_identities", "mapped_roles = ?", "factor_id = ?")
_SIGNED_IN_AS = update("external_identities", "typed_as = ?, last_used_at = ?", "factor_id = ?")
_BY_TYPED_NAME = select(_READ, f"{_JOINED} WHERE external_identities.typed_as = ? LIMIT 2")
_OF_ISSUER = select(
    _READ,
    f"{_JOINED} WHERE external_identities.issuer = ? AND external_identities.subject > ?"
    " ORDER BY external_identities.subject LIMIT ?",
)

# one probe of the index for each: a scan would read every identity
_NEXT_ISSUER = "SELECT MIN(issuer) FROM external_identities WHERE issuer > ?"
_COUNT_OF_ISSUER = "SELECT count(*) FROM external_identities WHERE issuer = ?"
_MARK_OF_ISSUER = select("factors.code_hash", f"{_JOINED} WHERE external_identities.issuer = ? LIMIT 1")

_NOTE = insert(
    "upstream_sessions",
    "holder, factor_id, sid, expires_at",
    "ON CONFLICT (holder, factor_id) DO UPDATE SET sid = excluded.sid, expires_at = excluded.expires_at",
)
# Of an account's own identities only: the sign-in may have belonged to somebody else before. The sign-in's row stays until it expires.
_HAND_OVER = (
    "INSERT INTO upstream_sessions (holder, factor_id, sid, expires_at)"
    " SELECT ?, factor_id, sid, CAST(? AS BIGINT) FROM upstream_sessions"
    " WHERE holder = ? AND factor_id IN (SELECT id FROM factors WHERE account_id = ?)"
    " ON CONFLICT (holder, factor_id) DO UPDATE SET sid = excluded.sid, expires_at = excluded.expires_at"
)
# The sign-in's row, or the session's: with the grant it is needed for as long as the grant lives.
_KEEP = "UPDATE upstream_sessions SET expires_at = ? WHERE holder = ? AND expires_at < ?"
# A provider's sid is its own: the same text of another issuer names nothing here (Back-Channel Logout 1.0 §2.6)
_HELD_BY = (
    "SELECT upstream_sessions.holder, upstream_sessions.factor_id, upstream_sessions.sid, upstream_sessions.expires_at"
    " FROM external_identities JOIN upstream_sessions ON upstream_sessions.factor_id = external_identities.factor_id"
    " WHERE external_identities.issuer = ?"
)
_OF_SUBJECT = f"{_HELD_BY} AND external_identities.subject = ? ORDER BY upstream_sessions.holder"
_OF_SID = f"{_HELD_BY} AND upstream_sessions.sid = ? ORDER BY upstream_sessions.holder"
_IN_SESSION = (
    "SELECT external_identities.issuer, upstream_sessions.sid FROM upstream_sessions"
    " JOIN external_identities ON external_identities.factor_id = upstream_sessions.factor_id"
    " WHERE upstream_sessions.holder = ? ORDER BY external_identities.issuer"
)

_PENDING = "browser_hash, sign_in_id, provider, issuer, subject, email, taken, expires_at"
_GET_PENDING = select(_PENDING, "pending_identities WHERE browser_hash = ?")
_PUT_PENDING = insert(
    "pending_identities",
    _PENDING,
    "ON CONFLICT (browser_hash) DO UPDATE SET sign_in_id = excluded.sign_in_id, provider = excluded.provider,"
    " issuer = excluded.issuer, subject = excluded.subject, email = excluded.email, taken = excluded.taken,"
    " expires_at = excluded.expires_at",
)
_names = msgspec.json.Decoder(tuple[str, ...])
_FORGET_PENDING = "DELETE FROM pending_identities WHERE issuer = ? AND subject = ?"
_END_PENDING = "DELETE FROM pending_identities WHERE browser_hash = ? AND issuer = ? AND subject = ?"


class SqlExternalIdentities(SqlNoun):
    """Identities at providers, by issuer and subject: an address finds none (R89)."""

    credentials: ClassVar = (
        Credential(
            kind="external_identity",
            what="a connected account of another service",
            tables=("external_identities",),
            rests_on=("factor",),
        ),
        Credential(
            kind="upstream_session",
            what="which session rests on which one of a provider",
            tables=("upstream_sessions",),
            rests_on=("session",),
        ),
    )
    no_credentials: ClassVar = {
        "pending_identities": "found in one browser (browser_hash), and connected by its owner's own sign-in there",
    }
    expiring: ClassVar = (
        Expiring(table="pending_identities", key="browser_hash"),
        Expiring(table="upstream_sessions", key="holder, factor_id"),
    )

    def __init__(self, database: Database) -> None:
        self._db = database

    async def by_subject(self, issuer: str, subject: str) -> ExternalIdentity | None:
        """The identity, whoever owns it."""
        return await found(self._db, _BY_SUBJECT, (issuer, subject), _identity)

    async def of_account(self, account_id: str) -> Sequence[ExternalIdentity]:
        """Those of one person, oldest first."""
        return [_identity(row) for row in await self._db.all(_OF_ACCOUNT, (account_id,))]

    def insert(self, identity: ExternalIdentity) -> Write:
        """Guarded: loses when somebody has this identity. Its row in `factors` comes before it in the same commit."""
        one = identity
        return guarded(
            _INSERT,
            one.factor_id,
            one.issuer,
            one.subject,
            one.email,
            one.last_used_at,
            _stored(one.mapped_roles),
            one.typed_as,
        )

    def used(self, factor_id: str, at: int) -> Write:
        """Guarded: loses when it was disconnected."""
        return guarded(_USED, at, factor_id)

    def set_mapped_roles(self, factor_id: str, roles: Sequence[str]) -> Write:
        """The roles that the provider's mapping gave. Guarded: loses when it was disconnected."""
        return guarded(_MAP, _stored(roles), factor_id)

    async def by_typed_name(self, name: str) -> Sequence[ExternalIdentity]:
        """Those whose owners typed this name at their last sign-in; at most two, since two are too many."""
        return [_identity(row) for row in await self._db.all(_BY_TYPED_NAME, (name,))]

    async def of_issuer(self, issuer: str, *, after: str, limit: int) -> Sequence[ExternalIdentity]:
        """A page of those at one provider or directory, in the order of their subjects."""
        return [_identity(row) for row in await self._db.all(_OF_ISSUER, (issuer, after, limit))]

    async def next_issuer(self, after: str) -> str | None:
        """The first issuer after this one, of those with which somebody is connected."""
        row = await self._db.one(_NEXT_ISSUER, (after,))
        return None if row is None else row[0]

    async def connected_to(self, issuer: str) -> tuple[int, bytes | None]:
        """How many are connected with an issuer, and what the row of one of them has in place of the section's name."""
        count, mark = (
            await self._db.one(_COUNT_OF_ISSUER, (issuer,)),
            await self._db.one(_MARK_OF_ISSUER, (issuer,)),
        )
        return (0 if count is None else int(count[0])), (None if mark is None else mark[0])

    def signed_in_as(self, factor_id: str, name: str, at: int) -> Write:
        """Guarded: loses when it was disconnected."""
        return guarded(_SIGNED_IN_AS, name, at, factor_id)

    def note_session(self, upstream: UpstreamSession) -> Write:
        """What a sign-in or session rests on; takes the place of what the same identity had there."""
        return write(_NOTE, *to_row(upstream))

    def hand_over(self, sign_in_id: str, session_id: str, account_id: str, expires_at: int) -> Write:
        """What the sign-in rests on belongs to the session in which it ends, until `expires_at`."""
        return write(_HAND_OVER, session_id, expires_at, sign_in_id, account_id)

    def keep_until(self, session_id: str, expires_at: int) -> Write:
        """What a session rests on is known until then, although the session ends before: an offline grant outlives it."""
        return write(_KEEP, expires_at, session_id, expires_at)

    async def sessions_of_subject(self, issuer: str, subject: str) -> Sequence[UpstreamSession]:
        """Those of one person at a provider, whichever session they have there."""
        rows = await self._db.all(_OF_SUBJECT, (issuer, subject))
        return [from_row(UpstreamSession, row) for row in rows]

    async def sessions_of_sid(self, issuer: str, sid: str) -> Sequence[UpstreamSession]:
        """Those of one session at a provider."""
        return [from_row(UpstreamSession, row) for row in await self._db.all(_OF_SID, (issuer, sid))]

    async def issuers_of_session(self, session_id: str) -> Sequence[tuple[str, str | None]]:
        """Issuer and `sid` of the providers' sessions by which somebody signed in to this one."""
        return [(row[0], row[1]) for row in await self._db.all(_IN_SESSION, (session_id,))]

    async def pending(self, browser_hash: bytes) -> PendingIdentity | None:
        """What waits in this browser, expired or not."""
        return await found(
            self._db, _GET_PENDING, (browser_hash,), lambda row: from_row(PendingIdentity, row, taken=bool)
        )

    def put_pending(self, pending: PendingIdentity) -> Write:
        """Takes the place of what waited in the same browser."""
        return write(_PUT_PENDING, *to_row(pending, taken=int(pending.taken)))

    def end_pending(self, pending: PendingIdentity) -> Write:
        """Guarded: loses when it was taken or replaced."""
        return guarded(_END_PENDING, pending.browser_hash, pending.issuer, pending.subject)

    def forget_pending(self, issuer: str, subject: str) -> Write:
        """Whatever browser it waits in."""
        return write(_FORGET_PENDING, issuer, subject)


def _identity(row: Row) -> ExternalIdentity:
    return from_row(ExternalIdentity, row, mapped_roles=_roles)


def _stored(roles: Sequence[str]) -> str | None:
    return to_json(list(roles)) if roles else None


def _roles(stored: str | None) -> tuple[str, ...]:
    return () if stored is None else _names.decode(stored)
