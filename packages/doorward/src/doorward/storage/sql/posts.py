"""Recently posted forms and their sealed answers in SQL: one row for each browser."""

from __future__ import annotations

from typing import ClassVar

from doorward.storage.sql.noun import Expiring, SqlNoun
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


class SqlPosts(SqlNoun):
    """One row (`place`) for each browser. `post` is a keyed hash of the whole request; times are Unix seconds."""

    no_credentials: ClassVar = {
        "answered_posts": "answers (sealed) to a form that is sent twice in one browser; the cookies in them are of other kinds"
    }
    expiring: ClassVar = (Expiring(table="answered_posts", key="place"),)

    def __init__(self, database: Database) -> None:
        self._db = database

    async def answer(self, place: int, post: str, now: int) -> bytes | None:
        """The sealed answer of exactly this post: empty while it is being processed, None when it is not stored."""
        row = await self._db.one(_ANSWER, (place, post, now))
        return None if row is None else row[0] or b""

    def claim(self, place: int, post: str, now: int, until: int) -> Write:
        """Guarded: loses while exactly this post is stored, in process or answered. Replaces any other post."""
        return guarded(_CLAIM, place, post, until, now)

    def keep(self, place: int, post: str, sealed: bytes, until: int) -> Write:
        """Store the answer of a claimed post. Not guarded: another post may have replaced it."""
        return write(_KEEP, sealed, until, place, post)

    def drop(self, place: int, post: str) -> Write:
        """Remove the claimed post: it has no answer that could be stored."""
        return write(_DROP, place, post)

    def forget(self, place: int) -> Write:
        """Remove any post of this place."""
        return write(_FORGET, place)
