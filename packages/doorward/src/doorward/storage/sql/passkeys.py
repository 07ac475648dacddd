"""Passkeys in SQL: each is a row of `factors` and one here, and ends with the former."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar

from doorward.core.model.passkey import Passkey
from doorward.storage.sql.noun import Credential, SqlNoun
from doorward.storage.sql.rows import found, from_row, words
from doorward.storage.sql.statements import Database, Row, Write, guarded, write
from doorward.storage.sql.text import insert, qualified, select, update

_OWN = (
    "credential_id, public_key, alg, sign_count, aaguid, name, transports, discoverable, user_verified, backup_eligible,"
    " backed_up, attestation, made_silently, last_used_at, suspect_at"
)
_READ = f"passkeys.factor_id, factors.account_id, {qualified('passkeys', _OWN)}"
_JOINED = "passkeys JOIN factors ON factors.id = passkeys.factor_id"
_BY_CREDENTIAL = select(_READ, f"{_JOINED} WHERE passkeys.credential_hash = ?")
_OF_ACCOUNT = select(
    _READ, f"{_JOINED} WHERE factors.account_id = ? ORDER BY factors.created_at, passkeys.factor_id"
)
_ANY = "SELECT factor_id FROM passkeys LIMIT 1"
_INSERT = insert(
    "passkeys", f"factor_id, credential_hash, {_OWN}", "ON CONFLICT (credential_hash) DO NOTHING"
)
_USE = update(
    "passkeys",
    "sign_count = ?, user_verified = ?, backed_up = ?, last_used_at = ?",
    "factor_id = ? AND sign_count = ? AND suspect_at IS NULL",
)
_SUSPECT = update("passkeys", "suspect_at = ?", "factor_id = ? AND suspect_at IS NULL")
_RENAME = update("passkeys", "name = ?", "factor_id = ?")
_FORGET_ALL = "DELETE FROM factors WHERE id IN (SELECT factor_id FROM passkeys)"


class SqlPasskeys(SqlNoun):
    """Passkeys. They are looked up by the SHA-256 of the credential id, which may be longer than an entry of an index."""

    credentials: ClassVar = (
        Credential(kind="passkey", what="a passkey", tables=("passkeys",), rests_on=("factor",)),
    )

    def __init__(self, database: Database) -> None:
        self._db = database

    async def by_credential(self, credential_id: bytes) -> Passkey | None:
        """The passkey with this credential id, whoever owns it."""
        return await found(self._db, _BY_CREDENTIAL, (_hash(credential_id),), _passkey)

    async def of_account(self, account_id: str) -> Sequence[Passkey]:
        """Those of one person, oldest first."""
        return [_passkey(row) for row in await self._db.all(_OF_ACCOUNT, (account_id,))]

    async def any(self) -> bool:
        """Whether anybody has one."""
        return await self._db.one(_ANY, ()) is not None

    def insert(self, passkey: Passkey) -> Write:
        """Guarded: loses when the credential id exists. Its row in `factors` comes before it in the same commit."""
        return guarded(
            _INSERT,
            passkey.factor_id,
            _hash(passkey.credential_id),
            passkey.credential_id,
            passkey.public_key,
            passkey.alg,
            passkey.sign_count,
            passkey.aaguid,
            passkey.name,
            " ".join(passkey.transports),
            int(passkey.discoverable),
            int(passkey.user_verified),
            int(passkey.backup_eligible),
            int(passkey.backed_up),
            passkey.attestation,
            int(passkey.made_silently),
            passkey.last_used_at,
            passkey.suspect_at,
        )

    def use(self, old: Passkey, *, sign_count: int, user_verified: bool, backed_up: bool, at: int) -> Write:
        """Guarded: loses when the passkey is gone, its counter has moved, or it is suspected to be copied."""
        verified = user_verified or old.user_verified
        return guarded(_USE, sign_count, int(verified), int(backed_up), at, old.factor_id, old.sign_count)

    def suspect(self, factor_id: str, at: int) -> Write:
        """Guarded: loses when it is suspected already."""
        return guarded(_SUSPECT, at, factor_id)

    def rename(self, factor_id: str, name: str) -> Write:
        """Guarded: loses when it is gone."""
        return guarded(_RENAME, name, factor_id)

    def forget_all(self) -> Write:
        """Remove the passkeys of all people: no browser offers those of another relying party id."""
        return write(_FORGET_ALL)


_FLAGS = ("discoverable", "user_verified", "backup_eligible", "backed_up", "made_silently")


def _passkey(row: Row) -> Passkey:
    return from_row(Passkey, row, transports=words, **dict.fromkeys(_FLAGS, bool))


def _hash(credential_id: bytes) -> bytes:
    return hashlib.sha256(credential_id).digest()
