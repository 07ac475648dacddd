"""Sign-ins in progress in SQL: one document, with the columns used to find it."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from doorward.core.model.signin import SignIn
from doorward.storage.sql.noun import Credential, Expiring, SqlNoun
from doorward.storage.sql.rows import found
from doorward.storage.sql.statements import Database, Write, guarded, to_json, write
from doorward.storage.sql.text import insert, update

_GET = "SELECT doc FROM sign_ins WHERE id = ?"
_BY_HANDLE = "SELECT doc FROM sign_ins WHERE handle_hash = ?"
_INSERT = insert("sign_ins", "id, handle_hash, account_id, expires_at, doc")
_REPLACE = update(
    "sign_ins", "handle_hash = ?, account_id = ?, expires_at = ?, doc = ?", "id = ? AND doc = ?"
)
_END_OF_ACCOUNT = "DELETE FROM sign_ins WHERE account_id = ? AND expires_at > ?"

_decoder = msgspec.json.Decoder(SignIn)


class SqlSignIns(SqlNoun):
    """Sign-ins in progress."""

    credentials: ClassVar = (
        Credential(
            kind="sign_in",
            what="a sign-in in progress in which something was proven, on pages or by JSON",
            tables=("sign_ins",),
        ),
    )
    # unauthenticated requests create these rows; a page left open over night continues from data in the browser
    # (see features/sessions/asked.py)
    expiring: ClassVar = (Expiring(table="sign_ins"),)
    with_account: ClassVar = ("sign_ins",)

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, sign_in_id: str) -> SignIn | None:
        return await found(self._db, _GET, (sign_in_id,), lambda row: _decoder.decode(row[0]))

    async def by_handle(self, handle_hash: bytes) -> SignIn | None:
        return await found(self._db, _BY_HANDLE, (handle_hash,), lambda row: _decoder.decode(row[0]))

    def insert(self, sign_in: SignIn) -> Write:
        s = sign_in
        return write(_INSERT, s.id, s.handle_hash, s.account_id, s.expires_at, to_json(s))

    def end_of_account(self, account_id: str, at: int) -> Write:
        """End the sign-ins of this account that still run at `at`, if a credential was already presented in them."""
        return write(_END_OF_ACCOUNT, account_id, at)

    def replace(self, old: SignIn, new: SignIn) -> Write:
        """Guarded: loses when the row changed since `old` was read, so that no step is done twice."""
        # compares the whole document: the step was decided on exactly that state
        return guarded(
            _REPLACE, new.handle_hash, new.account_id, new.expires_at, to_json(new), old.id, to_json(old)
        )
