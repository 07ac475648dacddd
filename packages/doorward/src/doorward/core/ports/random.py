"""Randomness and names: everything unguessable comes from here."""

from __future__ import annotations

from typing import Protocol


class Chance(Protocol):
    """A source of secrets and ids from the operating system's generator."""

    def token(self, size: int = 32) -> str:
        """`size` random bytes as base64url without padding (32 bytes: 43 characters, 256 bits)."""
        ...

    def new_id(self, prefix: str) -> str:
        """`<prefix>_<UUIDv7 as 32 hex digits>`: sorts by time of birth, says what it names (RFC 9562 §5.7)."""
        ...

    def digits(self, length: int = 6) -> str:
        """A decimal code, each digit uniform."""
        ...

    def below(self, bound: int) -> int:
        """A uniform integer in [0, bound)."""
        ...
