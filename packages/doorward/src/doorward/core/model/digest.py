"""How every bearer secret is stored and looked up: as its SHA-256 (ASVS 7.2.3, line 17)."""

from __future__ import annotations

import hashlib


def digest(secret: str) -> bytes:
    """The 32 bytes that stand for a random secret in the database; one hash is enough for 256 bits of entropy."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
