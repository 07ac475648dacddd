"""Key wrapping under a local secret key: AES-256-GCM (SP 800-38D) under a key derived by HKDF (RFC 5869)."""

from __future__ import annotations

from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorward.adapters.keys import envelope
from doorward.core.ports.key_wrapper import WrongKey

_WRAPPING: Final = "doorward wrapping"
_FINGERPRINT: Final = "doorward key fingerprint"


@final
class LocalWrapper:
    """`KeyWrapper` under 32 bytes from the settings or a file. The id is a 64-bit fingerprint, derived by HKDF
    independently of every other key."""

    __slots__ = ("_cipher", "id")

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(envelope.derive(secret, _WRAPPING))
        self.id = f"key:{envelope.derive(secret, _FINGERPRINT, 8).hex()}"

    async def wrap(self, context: str, key: bytes) -> bytes:
        """Version byte, nonce, ciphertext and tag."""
        return envelope.seal(self._cipher, context, key)

    async def unwrap(self, context: str, wrapped: bytes) -> bytes:
        """Raises `WrongKey`."""
        return unseal(self._cipher, context, wrapped)


def unseal(cipher: AESGCM, context: str, wrapped: bytes) -> bytes:
    """The clear key. Raises `WrongKey`."""
    try:
        return envelope.unseal(cipher, context, wrapped)
    except ValueError:
        raise WrongKey("This is no wrapped key of a kind that this version knows.") from None
    except InvalidTag:
        raise WrongKey("It was wrapped under another key, for another use, or is damaged.") from None
