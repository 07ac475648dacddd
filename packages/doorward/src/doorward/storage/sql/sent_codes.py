"""Codes sent to phones and mailboxes, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from doorward.core.model.sent_code import SentCode
from doorward.storage.sql.noun import Credential, Expiring, SqlNoun
from doorward.storage.sql.rows import found, from_row, to_row
from doorward.storage.sql.statements import Database, Write, guarded, write
from doorward.storage.sql.text import insert, select, update

_COLUMNS = (
    "id, request, account_id, kind, factor_id, code_hash, target, message_id, sends, tries, created_at, expires_at,"
    " used_at"
)
_GET = select(_COLUMNS, "sent_codes WHERE id = ?")
_OF_ACCOUNT = select(_COLUMNS, "sent_codes WHERE account_id = ? ORDER BY created_at, id")
_OF_REQUEST = select(
    _COLUMNS, "sent_codes WHERE request = ? AND kind = ? ORDER BY created_at DESC, sends DESC, id LIMIT 1"
)
_INSERT = insert("sent_codes", _COLUMNS)
_COUNT_TRY = update("sent_codes", "tries = tries + 1", "id = ? AND tries = ? AND used_at IS NULL")
_USE = update("sent_codes", "used_at = ?", "id = ? AND used_at IS NULL")
_END_OF_ACCOUNT = "DELETE FROM sent_codes WHERE account_id = ?"


class SqlSentCodes(SqlNoun):
    """Codes that were sent, each for one sign-in or enrolment."""

    credentials: ClassVar = (
        Credential(
            kind="sent_code", what="a code by text message or mail for a step", tables=("sent_codes",)
        ),
    )
    expiring: ClassVar = (Expiring(table="sent_codes"),)

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, code_id: str) -> SentCode | None:
        return await found(self._db, _GET, (code_id,), lambda row: from_row(SentCode, row))

    async def of_account(self, account_id: str) -> Sequence[SentCode]:
        """All that are not swept yet, in any state."""
        return [from_row(SentCode, row) for row in await self._db.all(_OF_ACCOUNT, (account_id,))]

    async def of_request(self, request: str, kind: str) -> SentCode | None:
        """The newest code of this kind for a sign-in or enrolment, in any state."""
        return await found(self._db, _OF_REQUEST, (request, kind), lambda row: from_row(SentCode, row))

    def insert(self, code: SentCode) -> Write:
        return write(_INSERT, *to_row(code))

    def count_try(self, code: SentCode) -> Write:
        """Count one guess. Guarded: loses when another one was counted since `code` was read, or the code was used."""
        return guarded(_COUNT_TRY, code.id, code.tries)

    def use(self, code_id: str, at: int) -> Write:
        """Guarded: loses when the code was used or replaced."""
        return guarded(_USE, at, code_id)

    def end(self, code_id: str, at: int) -> Write:
        """A code that no longer works, because another one replaces it; no matter whether it was used."""
        return write(_USE, at, code_id)

    def end_of_account(self, account_id: str) -> Write:
        return write(_END_OF_ACCOUNT, account_id)
