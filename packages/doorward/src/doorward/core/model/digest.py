"""Storage form of bearer secrets: their SHA-256 (ASVS 7.2.3, R17)."""

from __future__ import annotations

import hashlib


def digest(secret: str) -> bytes:
    """The 32 bytes stored for a random secret; one hash is enough for 256 bits of entropy."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
