"""Whether a form that comes a second time gets the answer that the first had, as after a double click on its button.

The two are the same when browser, path, form and everything typed are the same; each form that a page shows carries a value of its
own (`once`), so that a person who means it twice is never taken for a double click.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from doorward.core.model.digest import digest

KEPT_FOR: Final = 10
"""Seconds for which an answer is kept after it was made."""

CLAIMED_FOR: Final = 30
"""Seconds after which a post that was never answered counts for nothing: its process has died."""

PLACES: Final = 16_384
"""How many rows there can be. Two browsers of one place lose nothing but this comfort."""

MOST: Final = 16_384
"""Bytes of a sealed answer; what is longer is not kept."""

PAUSES: Final = (0.02, 0.04, 0.08, 0.16, *[0.25] * 39)
"""Seconds between two looks whether the first was answered: ten in all, then the second is worked on as if there were no first."""

WAITING: Final = 64
"""How many requests of one process may wait for another at a time."""

_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")


class Kept(Struct, frozen=True, array_like=True):
    """An answer, and the hashes of the session's cookie that its request came with and that it leaves the browser with."""

    answer: bytes
    before: bytes | None
    after: bytes | None

    def __repr__(self) -> str:
        return "Kept(***)"


def place(browser: str) -> int:
    """Where the last post of a browser stands, by its cookie."""
    return int.from_bytes(digest(browser)[:8]) % PLACES


def told_apart(once: str | None) -> bool:
    """Whether a form carries a value of its own. Without one, two posts cannot be told from a person who means both."""
    return once is not None and _VALUE.fullmatch(once) is not None


def may_have(kept: Kept, presented: bytes | None) -> bool:
    """Whether a request with this session's cookie (its hash) may have the answer: the one before or after it, and no other. So who
    planted the browser's cookie gets nothing that was meant for the session's owner."""
    return presented in {kept.before, kept.after}
