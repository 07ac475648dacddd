"""Sealing of recoverable secrets: AES-256-GCM (NIST SP 800-38D) under keys derived by HKDF (RFC 5869)."""

from __future__ import annotations

import hmac
from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorward.adapters.keys.envelope import derive, seal, unseal
from doorward_verify.encoding import b64url_encode

# The `info` of HKDF. Changing it gives another key, and existing sealed values can no longer be opened.
_SEAL: Final = "doorward seal "
_UNDER: Final = "doorward under "
_TAG_OF: Final = "doorward tag "


@final
class KeyedSealer:
    """`Sealer` under one secret key of 32 bytes.

    Each purpose has a key of its own, so that a value sealed for one use does not open in another. A random 96-bit
    nonce limits a purpose to 2^32 values under one secret key (SP 800-38D §8.3), far more than such a server ever
    seals.
    """

    __slots__ = ("_ciphers", "_secret", "_tag_keys")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise ValueError("the secret key has 32 bytes")
        self._secret = secret
        self._ciphers: dict[str, AESGCM] = {}
        self._tag_keys: dict[str, bytes] = {}

    def seal(self, purpose: str, context: str, clear: bytes) -> bytes:
        """Version byte, nonce, ciphertext and tag; `context` is authenticated and not stored."""
        return seal(self._cipher(purpose), context, clear)

    def open(self, purpose: str, context: str, sealed: bytes) -> bytes:
        """The clear value. Raises ValueError for another purpose, context or secret key, and for anything damaged."""
        try:
            return unseal(self._cipher(purpose), context, sealed)
        except InvalidTag:
            raise ValueError(f"not sealed for this {purpose}, or under another secret key") from None

    def seal_under(self, secret: str, purpose: str, clear: bytes) -> bytes:
        """As `seal`, under a key that can only be derived with `secret` as well."""
        return self._under(secret, purpose).seal(purpose, "", clear)

    def open_under(self, secret: str, purpose: str, sealed: bytes) -> bytes:
        """The clear value. Raises ValueError as `open` does."""
        return self._under(secret, purpose).open(purpose, "", sealed)

    def tag(self, purpose: str, text: str) -> str:
        """HMAC-SHA-256 of the text, base64url."""
        key = self._tag_keys.get(purpose)
        if key is None:
            key = self._tag_keys[purpose] = derive(self._secret, _TAG_OF + purpose)
        return b64url_encode(hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256"))

    def _under(self, secret: str, purpose: str) -> KeyedSealer:
        key = derive(self._secret, _UNDER + purpose)
        return KeyedSealer(hmac.digest(key, secret.encode("utf-8", "surrogatepass"), "sha256"))

    def _cipher(self, purpose: str) -> AESGCM:
        cipher = self._ciphers.get(purpose)
        if cipher is None:
            cipher = self._ciphers[purpose] = AESGCM(derive(self._secret, _SEAL + purpose))
        return cipher
