"""Argon2 PHC strings (RFC 9106): creation and verification by the fastest available implementation.

OpenSSL's, by way of `cryptography`, is some per cent faster than the reference code and is loaded anyway. The reference
code handles what OpenSSL cannot read (strings of Argon2's first version, salts under eight bytes, both only ever
imported), and everything where OpenSSL was built without Argon2; its result then counts.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Final

from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2d, Argon2i, Argon2id

_OPENSSL: Final = {"argon2id": Argon2id, "argon2i": Argon2i, "argon2d": Argon2d}
_VERSION: Final = "v=19"


def made(clear: bytes, salt: bytes, *, memory_kib: int, iterations: int, lanes: int, length: int) -> str:
    """The PHC string of Argon2id over `clear`; `memory_kib` in KiB, `length` of the digest in bytes."""
    try:
        kdf = Argon2id(salt=salt, length=length, iterations=iterations, lanes=lanes, memory_cost=memory_kib)
        return kdf.derive_phc_encoded(clear)
    except UnsupportedAlgorithm:
        from argon2.low_level import Type, hash_secret

        return hash_secret(clear, salt, iterations, memory_kib, lanes, length, Type.ID).decode("ascii")


def unmatched(salt: bytes, digest: bytes, *, memory_kib: int, iterations: int, lanes: int) -> str:
    """A well-formed PHC string around a digest that was not computed."""
    salt_text, digest_text = (b64encode(part).rstrip(b"=").decode() for part in (salt, digest))
    return f"{parameters(memory_kib, iterations, lanes)}{salt_text}${digest_text}"


def parameters(memory_kib: int, iterations: int, lanes: int) -> str:
    """The first part of every PHC string that `made` makes with these parameters."""
    return f"$argon2id${_VERSION}$m={memory_kib},t={iterations},p={lanes}$"


def matches(stored: str, clear: bytes) -> bool:
    """Whether `clear` made the PHC string `stored` of any variant of Argon2; False for anything damaged."""
    parts = stored.split("$")
    kdf = _OPENSSL.get(parts[1]) if len(parts) == 6 else None
    if kdf is None or parts[2] != _VERSION:
        return _by_reference(stored, clear)
    try:
        kdf.verify_phc_encoded(clear, stored)
    except InvalidKey:
        return False
    except (ValueError, UnsupportedAlgorithm):
        return _by_reference(stored, clear)
    return True


def _by_reference(stored: str, clear: bytes) -> bool:
    # imported here: most servers never need it, and it costs memory in each worker
    from argon2.exceptions import Argon2Error, InvalidHashError, VerificationError
    from argon2.low_level import Type, verify_secret

    kind = stored.split("$", 2)[1] if stored.count("$") > 1 else ""
    variant = {"argon2id": Type.ID, "argon2i": Type.I, "argon2d": Type.D}.get(kind)
    if variant is None:
        return False
    try:
        return verify_secret(stored.encode("ascii"), clear, variant)
    except (VerificationError, InvalidHashError, Argon2Error, UnicodeEncodeError):
        return False
