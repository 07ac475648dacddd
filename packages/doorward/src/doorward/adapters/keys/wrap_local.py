"""Key wrapping under a local secret key: AES-256-GCM (SP 800-38D) under a key derived by HKDF (RFC 5869)."""

from __future__ import annotations

import os
from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from doorward.core.ports.key_wrapper import WrongKey

_VERSION = b"\x01"
_NONCE = 12
_TAG = 16
_WRAPPING: Final = "doorward wrapping"
_FINGERPRINT: Final = "doorward key fingerprint"


@final
class LocalWrapper:
    """`KeyWrapper` under 32 bytes from the settings or a file. The id is a 64-bit fingerprint, derived by HKDF
    independently of every other key."""

    __slots__ = ("_cipher", "_id")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise ValueError("the secret key has 32 bytes")
        self._cipher = AESGCM(_derive(secret, _WRAPPING, 32))
        self._id = f"key:{_derive(secret, _FINGERPRINT, 8).hex()}"

    @property
    def id(self) -> str:
        return self._id

    async def wrap(self, context: str, key: bytes) -> bytes:
        """Version byte, nonce, ciphertext and tag."""
        return seal(self._cipher, context, key)

    async def unwrap(self, context: str, wrapped: bytes) -> bytes:
        """Raises `WrongKey`."""
        return unseal(self._cipher, context, wrapped)


def seal(cipher: AESGCM, context: str, key: bytes) -> bytes:
    """The envelope: version byte, nonce, ciphertext and tag, with the context as associated data."""
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + cipher.encrypt(nonce, key, context.encode())


def unseal(cipher: AESGCM, context: str, wrapped: bytes) -> bytes:
    """The clear key. Raises `WrongKey`."""
    if len(wrapped) < 1 + _NONCE + _TAG or wrapped[:1] != _VERSION:
        raise WrongKey("This is no wrapped key of a kind that this version knows.")
    try:
        return cipher.decrypt(wrapped[1 : 1 + _NONCE], wrapped[1 + _NONCE :], context.encode())
    except InvalidTag:
        raise WrongKey("It was wrapped under another key, for another use, or is damaged.") from None


def _derive(secret: bytes, info: str, size: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=size, salt=None, info=info.encode()).derive(secret)
