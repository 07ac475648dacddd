"""Client-ID metadata documents in SQL: the last good copy of each, by its address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from doorward.core.model.client import Client
from doorward.core.model.self_registered import ClientDocument
from doorward.storage.sql import app_document
from doorward.storage.sql.noun import Expiring, SqlNoun
from doorward.storage.sql.rows import found, from_row
from doorward.storage.sql.statements import Database, Row, Write, guarded, write
from doorward.storage.sql.text import delete, insert, select, update

_COLUMNS = "url, doc, fetched_at, fresh_until, tried_at, expires_at, problem, used_at, pinned_at, disabled_at"
_KEPT_PLAIN = "pinned_at IS NULL AND disabled_at IS NULL"
_GET = select(_COLUMNS, "client_documents WHERE url = ?")
_PAGE = select(_COLUMNS, "client_documents WHERE url > ? ORDER BY url LIMIT ?")
_COUNT = "SELECT COUNT(*) FROM client_documents"
# What the operator has decided stays, and so does the end of the row, which only grants move on.
_PUT = insert(
    "client_documents",
    _COLUMNS,
    "ON CONFLICT (url) DO UPDATE SET doc = excluded.doc, fetched_at = excluded.fetched_at,"
    " fresh_until = excluded.fresh_until, tried_at = excluded.tried_at, problem = excluded.problem"
    " WHERE client_documents.pinned_at IS NULL",
)
_FAILED = update(
    "client_documents", "tried_at = ?, problem = ?", "url = ? AND tried_at <= ? AND pinned_at IS NULL"
)
_PIN = update("client_documents", "pinned_at = ?", "url = ? AND pinned_at IS NULL AND doc IS NOT NULL")
_UNPIN = update("client_documents", "pinned_at = NULL", "url = ? AND pinned_at IS NOT NULL")
_DISABLE = update("client_documents", "disabled_at = ?", "url = ? AND disabled_at IS NULL")
_ENABLE = update("client_documents", "disabled_at = NULL", "url = ? AND disabled_at IS NOT NULL")
_DELETE = delete("client_documents", "url = ?")


class SqlClientDocuments(SqlNoun):
    """Client-ID metadata documents. They are read one by one and are not part of the configuration snapshot."""

    no_credentials: ClassVar = {"client_documents": "copies of public documents"}
    expiring: ClassVar = (Expiring(table="client_documents", key="url", also=_KEPT_PLAIN),)

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, url: str) -> ClientDocument | None:
        return await found(self._db, _GET, (url,), _document)

    async def page(self, *, after: str = "", limit: int) -> Sequence[ClientDocument]:
        """A page of them, in the order of their addresses."""
        return [_document(row) for row in await self._db.all(_PAGE, (after, limit))]

    async def count(self) -> int:
        """Their number."""
        row = await self._db.one(_COUNT, ())
        return row[0] if row else 0

    def put(self, document: ClientDocument) -> Write:
        """A fetched document: a new row, or a new copy in the row that is there. A pinned one stays as it is."""
        one = document
        return write(
            _PUT,
            one.url,
            None if one.client is None else app_document.write(one.client),
            one.fetched_at,
            one.fresh_until,
            one.tried_at,
            one.expires_at,
            one.problem,
            one.used_at,
            one.pinned_at,
            one.disabled_at,
        )

    def failed(self, url: str, problem: str, at: int) -> Write:
        """A failed attempt; the last good copy stays."""
        return write(_FAILED, at, problem, url, at)

    def pin(self, url: str, at: int) -> Write:
        """Guarded: loses when it is pinned, and when there is no good copy."""
        return guarded(_PIN, at, url)

    def unpin(self, url: str) -> Write:
        """Guarded: loses when it is not pinned."""
        return guarded(_UNPIN, url)

    def disable(self, url: str, at: int) -> Write:
        """Guarded: loses when it is disabled or not known."""
        return guarded(_DISABLE, at, url)

    def enable(self, url: str) -> Write:
        """Guarded: loses when it is not disabled."""
        return guarded(_ENABLE, url)

    def delete(self, url: str) -> Write:
        """Guarded: loses when it is gone."""
        return guarded(_DELETE, url)


def _document(row: Row) -> ClientDocument:
    return from_row(ClientDocument, row, client=_client)


def _client(doc: str | None) -> Client | None:
    return None if doc is None else app_document.read(doc)
