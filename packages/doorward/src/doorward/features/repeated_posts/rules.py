"""Rules for a repeated post: whether it gets the response of the first one, as after a double click.

Two posts are the same when browser, path, form and all values are the same. Each form on a page carries a unique value (`once`), so
that deliberate repetition never counts as a double click.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from doorward.core.model.digest import digest

KEPT_FOR: Final = 10
"""Seconds for which a response is kept."""

CLAIMED_FOR: Final = 30
"""Seconds after which an unanswered post is ignored: its process has died."""

PLACES: Final = 16_384
"""Maximum number of rows. Two browsers that share a row only lose this convenience."""

MOST: Final = 16_384
"""Maximum bytes of a sealed response; longer ones are not stored."""

PAUSES: Final = (0.02, 0.04, 0.08, 0.16, *[0.25] * 39)
"""Seconds between two checks for the first response: ten in all, then the second post is processed like a first one."""

WAITING: Final = 64
"""Maximum number of requests of one process that wait for another at a time."""

_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")


class Kept(Struct, frozen=True, array_like=True):
    """A response, and the hashes of the session cookies before and after it."""

    answer: bytes
    before: bytes | None
    after: bytes | None

    def __repr__(self) -> str:
        return "Kept(***)"


def place(browser: str) -> int:
    """The row of a browser's last post, by its cookie."""
    return int.from_bytes(digest(browser)[:8]) % PLACES


def told_apart(once: str | None) -> bool:
    """Whether a form carries a unique value. Without one, a double click looks like deliberate repetition."""
    return once is not None and _VALUE.fullmatch(once) is not None


def may_have(kept: Kept, presented: bytes | None) -> bool:
    """Whether a request with this session cookie (its hash) may have the response: only with the cookie before or after it. An attacker
    who planted the browser cookie gets nothing intended for the owner of the session."""
    return presented in {kept.before, kept.after}
