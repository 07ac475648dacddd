"""How is the root secret kept? Wrapped, a row for each key-encryption key that opens it; one root in a database, for ever."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.core.model.wrapped_key import WrappedKey
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


class SqlWrappedKeys:
    """The root secret, wrapped: a database has one for ever, and a wrapping for each key-encryption key that opens it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def root(self) -> tuple[str, Sequence[WrappedKey]] | None:
        """The id of the root and its wrappings, oldest first; None when there is no root yet."""
        named, wrappings = await self._db.snapshot((_ROOT, ()), (_WRAPPINGS, ()))
        return (named[0][0], [WrappedKey(*row) for row in wrappings]) if named else None

    def insert_root(self, wrapped: WrappedKey) -> Write:
        """Guarded: loses when there is a root, so that of nodes that start at once on an empty database one makes it."""
        return Write(((_NAME_ROOT, (wrapped.id,), 1), (_INSERT, to_row(wrapped), None)))

    def put(self, wrapped: WrappedKey) -> Write:
        """One more wrapping, or the same key-encryption key's anew."""
        return guarded(_PUT, *to_row(wrapped))

    def remove(self, wrapped: WrappedKey) -> Write:
        """Guarded: loses when it is gone, so that of two who drop one another's wrapping one is told."""
        return guarded(_REMOVE, wrapped.id, wrapped.kek)
