"""How can a lost refresh response be given again when only hashes are stored? By sealing the successor to its parent.

The key is derived from the parent token itself, which the database does not hold: whoever steals the database can neither
use the hash nor open the successor; whoever presents the parent can.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_LABEL: Final = b"doorward refresh successor"
_NONCE: Final = 12


def seal(parent: str, secret: str) -> bytes:
    """The successor's secret, encrypted so that only the raw parent opens it: nonce, ciphertext, tag.

    The nonce is made of the secret, 256 bits of chance: a parent whose database came out of a backup seals a second one, and the
    two must not share a nonce (NIST SP 800-38D §8.2).
    """
    key, bound = _of(parent)
    nonce = hmac.digest(key, secret.encode(), "sha256")[:_NONCE]
    return nonce + AESGCM(key).encrypt(nonce, secret.encode(), bound)


def unseal(parent: str, sealed: bytes) -> str:
    """The successor's secret. Raises ValueError when it was not sealed to this parent."""
    key, bound = _of(parent)
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound).decode()
    except (InvalidTag, ValueError):
        raise ValueError("the successor is not sealed to this token") from None


def _of(parent: str) -> tuple[bytes, bytes]:
    raw = parent.encode()
    return hmac.digest(raw, _LABEL, "sha256"), sha256(raw).digest()
