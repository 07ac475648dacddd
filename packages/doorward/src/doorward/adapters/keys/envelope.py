"""Envelope of sealed and wrapped values: AES-256-GCM (NIST SP 800-38D), keys by HKDF (RFC 5869) from one secret."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE = 12
_TAG = 16


def derive(secret: bytes, info: str, size: int = 32) -> bytes:
    """The key for this `info`. Raises ValueError for a secret that does not have 32 bytes."""
    if len(secret) != 32:
        raise ValueError("the secret key has 32 bytes")
    return HKDF(algorithm=SHA256(), length=size, salt=None, info=info.encode()).derive(secret)


def seal(cipher: AESGCM, context: str, clear: bytes) -> bytes:
    """Version byte, nonce, ciphertext and tag; `context` is authenticated and not stored."""
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + cipher.encrypt(nonce, clear, context.encode())


def unseal(cipher: AESGCM, context: str, sealed: bytes) -> bytes:
    """The clear value. Raises ValueError for another format, and InvalidTag for another key or context and for anything
    damaged."""
    if len(sealed) < 1 + _NONCE + _TAG or sealed[:1] != _VERSION:
        raise ValueError("not a sealed value of this version")
    return cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], context.encode())
