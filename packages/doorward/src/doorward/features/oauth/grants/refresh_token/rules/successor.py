"""Sealed successor of a refresh token: a lost response can be repeated although only hashes are stored.

The key is derived from the parent token, which the database does not contain. A stolen database gives neither a usable token nor the
successor; a client with the parent can open it.
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
    """The successor's secret, encrypted for holders of the raw parent token: nonce, ciphertext, tag.

    The nonce is derived from the secret, which is 256 random bits: after a restore from a backup one parent may seal a second
    successor, and the two must not share a nonce (NIST SP 800-38D §8.2).
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
