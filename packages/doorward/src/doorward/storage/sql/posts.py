"""Forms that were posted just now and their sealed answers, in SQL: one row for each place."""

from __future__ import annotations

from doorward.storage.sql.statements import Database, Write, guarded, write
from doorward.storage.sql.text import insert, update

_ANSWER = "SELECT sealed FROM answered_posts WHERE place = ? AND post = ? AND expires_at > ?"
_CLAIM = insert(
    "answered_posts",
    "place, post, expires_at",
    "ON CONFLICT (place) DO UPDATE SET post = excluded.post, expires_at = excluded.expires_at, sealed = NULL"
    " WHERE answered_posts.post <> excluded.post OR answered_posts.expires_at <= ?",
)
_KEEP = update("answered_posts", "sealed = ?, expires_at = ?", "place = ? AND post = ? AND sealed IS NULL")
_DROP = "DELETE FROM answered_posts WHERE place = ? AND post = ? AND sealed IS NULL"
_FORGET = "DELETE FROM answered_posts WHERE place = ?"


class SqlPosts:
    """One place for each browser. `post` is a keyed hash of the whole request; times are Unix seconds."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def answer(self, place: int, post: str, now: int) -> bytes | None:
        """The sealed answer of this very post: empty while it is being worked on, None when nothing of it is kept."""
        row = await self._db.one(_ANSWER, (place, post, now))
        return None if row is None else row[0] or b""

    def claim(self, place: int, post: str, now: int, until: int) -> Write:
        """Guarded: loses while this very post is kept there, being worked on or answered. What else stood there goes."""
        return guarded(_CLAIM, place, post, until, now)

    def keep(self, place: int, post: str, sealed: bytes, until: int) -> Write:
        """The answer of a claimed post. Not guarded: another post may have taken the place."""
        return write(_KEEP, sealed, until, place, post)

    def drop(self, place: int, post: str) -> Write:
        """The claimed post has no answer that could be kept."""
        return write(_DROP, place, post)

    def forget(self, place: int) -> Write:
        """Whatever stands there."""
        return write(_FORGET, place)
