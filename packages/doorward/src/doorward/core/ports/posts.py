"""Forms that were posted just now and what they were answered with: read, and changed in one step over all processes."""

from __future__ import annotations

from typing import Protocol

from doorward.core.ports.write import Write


class Posts(Protocol):
    """One place for each browser. `post` is a keyed hash of the whole request; times are Unix seconds."""

    async def answer(self, place: int, post: str, now: int) -> bytes | None:
        """The sealed answer of this very post: empty while it is being worked on, None when nothing of it is kept."""
        ...

    def claim(self, place: int, post: str, now: int, until: int) -> Write:
        """Guarded: loses while this very post is kept there, being worked on or answered. What else stood there goes."""
        ...

    def keep(self, place: int, post: str, sealed: bytes, until: int) -> Write:
        """The answer of a claimed post. Not guarded: another post may have taken the place."""
        ...

    def drop(self, place: int, post: str) -> Write:
        """The claimed post has no answer that could be kept."""
        ...

    def forget(self, place: int) -> Write:
        """Whatever stands there."""
        ...
