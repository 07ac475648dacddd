"""Random values and ids: the source of everything unguessable."""

from __future__ import annotations

from typing import Protocol


class SecureRandom(Protocol):
    """A source of secrets and ids from the operating system's generator."""

    def token(self, size: int = 32) -> str:
        """`size` random bytes as base64url without padding (32 bytes: 43 characters, 256 bits)."""
        ...

    def new_id(self, prefix: str) -> str:
        """`<prefix>_<UUIDv7 as 32 hex digits>`: sorts by creation time, the prefix names the type (RFC 9562 §5.7)."""
        ...

    def digits(self, length: int = 6) -> str:
        """A decimal code with uniform digits."""
        ...

    def below(self, bound: int) -> int:
        """A uniform integer in [0, bound)."""
        ...
