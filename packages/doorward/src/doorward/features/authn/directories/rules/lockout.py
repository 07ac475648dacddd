"""Limits of wrong passwords that stay below the directory's own: a stranger cannot have it lock a person out (R95)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from doorward.core.model.bucket import Bucket

Tag = Callable[[str], str]
"""A keyed hash, so that counters in the database reveal no names."""
_SHARE: Final = 5


def tries(threshold: int) -> tuple[int, int]:
    """(wrong passwords from devices that the person is known on, from all others) in one window of ours.

    A directory counts wrong passwords until `lockout_window` has passed without one. Our windows are as many of its own as there are
    tries, so that no unbroken row of tries goes through one: then two windows side by side add one less than twice the tries to its
    count. Both kinds together stay below `threshold`.
    """
    known = max(1, threshold // _SHARE)
    others = (threshold - (2 * known - 1)) // 2
    return known, max(1, others)


def lockout_bucket(
    directory: str, who: str, *, threshold: int, window: int, known: bool, tag: Tag
) -> Bucket | None:
    """The counter of tries at one name, whether or not somebody has it (R80). None for a directory that locks nobody out. `who` is the
    identity of the entry, so that all spellings of a name share a counter, or the typed name where there is no entry."""
    if not threshold:
        return None
    limit = tries(threshold)[0 if known else 1]
    return Bucket(
        tag(f"directory:{directory}:{'known' if known else 'elsewhere'}:{who}"), limit, limit * window
    )
