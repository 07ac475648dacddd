"""Verification of imported password hashes: PBKDF2 (RFC 8018) as Django and passlib write it."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from typing import Final

# Beyond it, one sign-in with a hostile imported hash would hold a hashing thread for seconds.
MAX_ROUNDS: Final = 5_000_000

_DJANGO: Final = {"pbkdf2_sha256": "sha256", "pbkdf2_sha1": "sha1"}
_MODULAR: Final = {"pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}


def verify_imported(stored: str, clear: bytes) -> bool:
    """`pbkdf2_sha256$rounds$salt$hash` or `$pbkdf2-sha256$rounds$salt$hash`; other or damaged text returns False."""
    parts = stored.split("$")
    try:
        if len(parts) == 4 and parts[0] in _DJANGO:
            digest, rounds, salt, wanted = _DJANGO[parts[0]], parts[1], parts[2].encode(), b64decode(parts[3])
        elif len(parts) == 5 and not parts[0] and parts[1] in _MODULAR:
            digest, rounds = _MODULAR[parts[1]], parts[2]
            salt, wanted = _adapted(parts[3]), _adapted(parts[4])
        else:
            return False
        count = int(rounds)
    except ValueError:
        return False
    if not 1 <= count <= MAX_ROUNDS or not wanted:
        return False
    return hmac.compare_digest(hashlib.pbkdf2_hmac(digest, clear, salt, count, dklen=len(wanted)), wanted)


def _adapted(text: str) -> bytes:
    # passlib's base64: "." for "+", no padding
    return b64decode(text.replace(".", "+") + "=" * (-len(text) % 4))
