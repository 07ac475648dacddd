"""Trusted issuers in SQL: a document each, found by the issuer that an assertion names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from doorward.core.model.trusted_issuer import TrustedIssuer
from doorward.storage.sql.noun import Credential, SqlNoun
from doorward.storage.sql.rows import found
from doorward.storage.sql.statements import Database, Row, Write, guarded, to_json
from doorward.storage.sql.text import insert, select, update

_BY_ISSUER = select("doc", "trusted_issuers WHERE issuer = ?")
_ALL = select("doc", "trusted_issuers ORDER BY id")
_FIRST = select("issuer", "trusted_issuers ORDER BY id LIMIT 50")
_INSERT = insert("trusted_issuers", "id, issuer, grant_id, revision, doc", "ON CONFLICT DO NOTHING")
_REPLACE = update(
    "trusted_issuers", "issuer = ?, grant_id = ?, revision = ?, doc = ?", "id = ? AND revision = ?"
)
_DELETE = "DELETE FROM trusted_issuers WHERE id = ? AND revision = ?"

_read = msgspec.json.Decoder(TrustedIssuer)


class SqlTrustedIssuers(SqlNoun):
    """The issuers. They are read at each use, so that a removed one is trusted by nobody from its commit on."""

    credentials: ClassVar = (
        Credential(
            kind="outside_issuer",
            what="an issuer whose assertions are exchanged for tokens, and those tokens",
            tables=("trusted_issuers",),
        ),
    )

    def __init__(self, database: Database) -> None:
        self._db = database

    async def by_issuer(self, issuer: str) -> TrustedIssuer | None:
        return await found(self._db, _BY_ISSUER, (issuer,), _document)

    async def all(self) -> Sequence[TrustedIssuer]:
        """In the order of their ids."""
        return [_document(row) for row in await self._db.all(_ALL, ())]

    async def first_issuers(self) -> Sequence[str]:
        """The `issuer` of the 50 oldest, for the nearest match of an unknown one."""
        return [row[0] for row in await self._db.all(_FIRST, ())]

    def insert(self, issuer: TrustedIssuer) -> Write:
        """Guarded: loses when another one has its `issuer`."""
        return guarded(_INSERT, issuer.id, issuer.issuer, issuer.grant_id, issuer.revision, to_json(issuer))

    def replace(self, old: TrustedIssuer, new: TrustedIssuer) -> Write:
        """Guarded: loses when it was changed after `old` was read."""
        return guarded(_REPLACE, new.issuer, new.grant_id, new.revision, to_json(new), old.id, old.revision)

    def delete(self, issuer: TrustedIssuer) -> Write:
        """Guarded: loses when it was changed after it was read."""
        return guarded(_DELETE, issuer.id, issuer.revision)


def _document(row: Row) -> TrustedIssuer:
    return _read.decode(row[0])
