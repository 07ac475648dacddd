"""Sealed successor of a refresh token: a lost response can be repeated although only hashes are stored.

The key is derived from the parent token, which the database does not contain. A stolen database gives neither a usable token nor the
successor; a client with the parent can open it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_LABEL: Final = b"doorward refresh successor"
_NONCE: Final = 12
_BLOCK: Final = 64
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


def seal(parent: str, secret: str) -> bytes:
    """The successor's secret, encrypted for holders of the raw parent token: nonce, ciphertext, tag.

    The nonce is derived from the secret, which is 256 random bits: after a restore from a backup one parent may seal a second
    successor, and the two must not share a nonce (NIST SP 800-38D §8.2).
    """
    key, bound = _of(parent)
    said = secret.encode()
    nonce = hmac_sha256(key, said)[:_NONCE]
    return nonce + AESGCM(key).encrypt(nonce, said, bound)


def unseal(parent: str, sealed: bytes) -> str:
    """The successor's secret. Raises ValueError when it was not sealed to this parent."""
    key, bound = _of(parent)
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound).decode()
    except (InvalidTag, ValueError):
        raise ValueError("the successor is not sealed to this token") from None


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104 §2), 32 bytes, under a `key` of at most 64 bytes: `hmac.digest`, in half of its time. That looks its hash
    function up by name at each call, which takes longer than to hash."""
    block = key.ljust(_BLOCK, b"\0")
    inner = sha256(block.translate(_INNER) + message).digest()
    return sha256(block.translate(_OUTER) + inner).digest()


def _of(parent: str) -> tuple[bytes, bytes]:
    raw = parent.encode()
    bound = sha256(raw).digest()
    # RFC 2104 §2: a key that is longer than a block counts by its hash
    return hmac_sha256(raw if len(raw) <= _BLOCK else bound, _LABEL), bound
