"""Accounts at OpenID providers in SQL: each is a row of `factors` and one here, and ends with the former."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from doorward.core.model.provider import ExternalIdentity, PendingIdentity
from doorward.storage.sql.noun import Expiring, SqlNoun
from doorward.storage.sql.rows import found, from_row, to_row
from doorward.storage.sql.statements import Database, Row, Write, guarded, write
from doorward.storage.sql.text import insert, qualified, select, update

_OWN = "issuer, subject, email, last_used_at"
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

_PENDING = "browser_hash, sign_in_id, provider, issuer, subject, email, taken, expires_at"
_GET_PENDING = select(_PENDING, "pending_identities WHERE browser_hash = ?")
_PUT_PENDING = insert(
    "pending_identities",
    _PENDING,
    "ON CONFLICT (browser_hash) DO UPDATE SET sign_in_id = excluded.sign_in_id, provider = excluded.provider,"
    " issuer = excluded.issuer, subject = excluded.subject, email = excluded.email, taken = excluded.taken,"
    " expires_at = excluded.expires_at",
)
_END_PENDING = "DELETE FROM pending_identities WHERE browser_hash = ? AND issuer = ? AND subject = ?"


class SqlExternalIdentities(SqlNoun):
    """Identities at providers, by issuer and subject: an address finds none (R89)."""

    expiring: ClassVar = (Expiring(table="pending_identities", key="browser_hash"),)

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
        return guarded(_INSERT, one.factor_id, one.issuer, one.subject, one.email, one.last_used_at)

    def used(self, factor_id: str, at: int) -> Write:
        """Guarded: loses when it was disconnected."""
        return guarded(_USED, at, factor_id)

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


def _identity(row: Row) -> ExternalIdentity:
    return from_row(ExternalIdentity, row)
