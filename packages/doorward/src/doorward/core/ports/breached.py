"""The operator's own list of passwords that nobody may choose."""

from __future__ import annotations

from typing import Protocol


class BreachedList(Protocol):
    """Membership only. `sha1_hex` is the SHA-1 in upper-case hex, the form in which such lists are published."""

    def contains(self, sha1_hex: str) -> bool: ...
