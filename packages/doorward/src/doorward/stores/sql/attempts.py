"""How are tries counted, and things claimed once? In single statements, so that no try is lost between a read and a write."""

from __future__ import annotations

from doorward.stores.sql.statements import Database, SqlWrite, guarded, write

_COUNT = "SELECT tries, ends_at FROM attempts WHERE bucket = ? AND ends_at > ?"
_ADD = (
    "INSERT INTO attempts (bucket, tries, ends_at) VALUES (?, 1, ?) ON CONFLICT (bucket) DO UPDATE SET"
    " tries = CASE WHEN attempts.ends_at <= ? THEN 1 ELSE attempts.tries + 1 END,"
    " ends_at = CASE WHEN attempts.ends_at <= ? THEN excluded.ends_at ELSE attempts.ends_at END"
)
_CLEAR = "DELETE FROM attempts WHERE bucket = ?"
_CLAIM = (
    "INSERT INTO claimed (space, value, expires_at) VALUES (?, ?, ?) ON CONFLICT (space, value)"
    " DO UPDATE SET expires_at = excluded.expires_at WHERE claimed.expires_at <= ?"
)


class SqlAttempts:
    """`ports.store.Attempts` in SQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def count(self, bucket: str, now: int) -> tuple[int, int]:
        row = await self._db.one(_COUNT, (bucket, now))
        return (0, now) if row is None else (row[0], row[1])

    def add(self, bucket: str, now: int, window: int) -> SqlWrite:
        return write(_ADD, bucket, now + window, now, now)

    def clear(self, bucket: str) -> SqlWrite:
        return write(_CLEAR, bucket)

    def claim(self, space: str, value: str, expires_at: int, *, now: int = 0) -> SqlWrite:
        return guarded(_CLAIM, space, value, expires_at, now)
