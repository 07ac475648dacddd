"""Public keys of passkeys (COSE_Key: RFC 9052 §7, RFC 9053, RFC 8812) and their signatures."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import (
    DuplicateExtension,
    ExtensionNotFound,
    InvalidVersion,
    UnsupportedGeneralNameType,
)
from fido2 import cbor
from fido2.cose import CoseKey

MALFORMED: Final = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    struct.error,
    InvalidSignature,
    UnsupportedAlgorithm,
    ExtensionNotFound,
    DuplicateExtension,
    InvalidVersion,
    UnsupportedGeneralNameType,
)
"""What the libraries raise for bytes that are not what they claim to be. Every one of them comes from the sender's input."""
_TYPE: Final[Mapping[int, int]] = {
    -7: 2,  # ES256
    -35: 2,  # ES384
    -36: 2,  # ES512
    -8: 1,  # EdDSA
    -19: 1,  # Ed25519
    -53: 1,  # Ed448
    -257: 3,  # RS256
    -37: 3,  # PS256
}
"""The key type (kty) of each known algorithm."""
KNOWN: Final = tuple(_TYPE)
_RSA: Final = 3
_RSA_BITS: Final = 2048


def encoded(key: Mapping[int, object]) -> bytes:
    """The key in canonical CBOR, as stored."""
    return cbor.encode(key)


def usable(key: CoseKey) -> bool:
    """Whether signatures can be verified with the key: a known algorithm, the key type of that algorithm, a point on the curve, and
    no short RSA key. The library reads the key only when it verifies, so a signature that cannot be right is tried."""
    alg = key.ALGORITHM
    try:
        if key[1] != _TYPE.get(alg):
            return False
        if key[1] == _RSA and _bits(key) < _RSA_BITS:
            return False
        key.verify(b"", b"")
    except InvalidSignature:
        return True
    except MALFORMED:
        return False
    return False


def verifies(public_key: bytes, alg: int, message: bytes, signature: bytes) -> bool:
    """Whether the signature is that of the stored key with the stored algorithm."""
    try:
        key = CoseKey.parse(_decoded(public_key))
        if alg != key.ALGORITHM or not usable(key):
            return False
        key.verify(message, signature)
    except MALFORMED:
        return False
    return True


def _bits(key: Mapping[int, Any]) -> int:
    return int.from_bytes(key[-1], "big").bit_length()


def _decoded(public_key: bytes) -> Mapping[int, Any]:
    # the library's annotations stop here; a value of another type is refused as malformed by its parser
    return cast("Any", cbor).decode(public_key)
