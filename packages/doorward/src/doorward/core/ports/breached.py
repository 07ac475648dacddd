"""The operator's list of forbidden passwords."""

from __future__ import annotations

from typing import Protocol


class BreachedList(Protocol):
    """Membership test. `sha1_hex` is the SHA-1 in upper-case hex, the form in which such lists are published."""

    def contains(self, sha1_hex: str) -> bool: ...
