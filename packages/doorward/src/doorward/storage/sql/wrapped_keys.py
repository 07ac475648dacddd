"""The wrapped root secret in SQL: one permanent root for each database, one row for each key-encryption key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from doorward.core.model.wrapped_key import WrappedKey
from doorward.storage.sql.noun import SqlNoun
from doorward.storage.sql.rows import to_row
from doorward.storage.sql.statements import Database, Write, guarded
from doorward.storage.sql.text import insert, select

_COLUMNS = "id, kek, wrapped, created_at"
_ROOT = select("value", "meta WHERE name = 'root'")
_WRAPPINGS = select(
    _COLUMNS,
    "wrapped_keys WHERE id = (SELECT value FROM meta WHERE name = 'root') ORDER BY created_at, kek",
)
_NAME_ROOT = "INSERT INTO meta (name, value) VALUES ('root', ?) ON CONFLICT (name) DO NOTHING"
_INSERT = insert("wrapped_keys", _COLUMNS)
_PUT = insert(
    "wrapped_keys",
    _COLUMNS,
    "ON CONFLICT (id, kek) DO UPDATE SET wrapped = excluded.wrapped, created_at = excluded.created_at",
)
_REMOVE = "DELETE FROM wrapped_keys WHERE id = ? AND kek = ?"


class SqlWrappedKeys(SqlNoun):
    """The root secret, wrapped: one permanent root, with a wrapping for each key-encryption key that opens it."""

    no_credentials: ClassVar = {
        "wrapped_keys": "the server's own root secret, wrapped",
        "meta": "marks of the database",
        "schema_migrations": "which migrations ran",
    }

    def __init__(self, database: Database) -> None:
        self._db = database

    async def root(self) -> tuple[str, Sequence[WrappedKey]] | None:
        """The id of the root and its wrappings, oldest first; None when there is no root yet."""
        named, wrappings = await self._db.snapshot((_ROOT, ()), (_WRAPPINGS, ()))
        return (named[0][0], [WrappedKey(*row) for row in wrappings]) if named else None

    def insert_root(self, wrapped: WrappedKey) -> Write:
        """Guarded: loses when there is a root, so that only one of several nodes that start on an empty database makes
        it."""
        return Write(((_NAME_ROOT, (wrapped.id,), 1), (_INSERT, to_row(wrapped), None)))

    def put(self, wrapped: WrappedKey) -> Write:
        """Add a wrapping, or replace that of the same key-encryption key."""
        return guarded(_PUT, *to_row(wrapped))

    def remove(self, wrapped: WrappedKey) -> Write:
        """Guarded: loses when it is gone, so that of two callers that each remove the other's wrapping one fails."""
        return guarded(_REMOVE, wrapped.id, wrapped.kek)
