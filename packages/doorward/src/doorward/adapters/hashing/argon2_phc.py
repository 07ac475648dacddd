"""Argon2 PHC strings (RFC 9106): creation and verification by the implementation that is faster on this machine.

There are OpenSSL's, by way of `cryptography`, and the reference code in argon2-cffi. Each is ahead by a tenth on some machines, so the
first password of a process is preceded by a short comparison. The reference code also handles what OpenSSL cannot read (strings of
Argon2's first version, salts under eight bytes, both only ever imported), and everything where OpenSSL was built without Argon2; OpenSSL
handles what has several lanes, for which the reference code would start threads.
"""

from __future__ import annotations

import time
from base64 import b64encode
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2d, Argon2i, Argon2id

_OPENSSL: Final = {"argon2id": Argon2id, "argon2i": Argon2i, "argon2d": Argon2d}
_VERSION: Final = "v=19"
_ONE_LANE: Final = ",p=1"
# cost and number of the hashes that are compared, each twice beyond the first: some 40 ms in all
_COMPARED: Final = 8 * 1024
_ROUNDS: Final = 3


def made(clear: bytes, salt: bytes, *, memory_kib: int, iterations: int, lanes: int, length: int) -> str:
    """The PHC string of Argon2id over `clear`; `memory_kib` in KiB, `length` of the digest in bytes."""
    if lanes > 1 or not reference_is_faster():
        try:
            return _by_openssl(clear, salt, memory_kib, iterations, lanes, length)
        except UnsupportedAlgorithm:
            pass
    return _made_by_reference(clear, salt, memory_kib, iterations, lanes, length)


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
    if kdf is None or parts[2] != _VERSION or (parts[3].endswith(_ONE_LANE) and reference_is_faster()):
        return _by_reference(stored, clear)
    try:
        kdf.verify_phc_encoded(clear, stored)
    except InvalidKey:
        return False
    except (ValueError, UnsupportedAlgorithm):
        return _by_reference(stored, clear)
    return True


@cache
def reference_is_faster() -> bool:
    """Whether the reference code takes less processor time here than OpenSSL for a hash of one lane. Measured once in a process, in the
    hashing thread that first asks."""
    took: dict[str, list[float]] = {"openssl": [], "reference": []}
    try:
        for _ in range(_ROUNDS):
            for name, hashed in (("openssl", _by_openssl), ("reference", _made_by_reference)):
                began = time.thread_time()
                hashed(b"", b"comparison" + bytes(6), _COMPARED, 1, 1, 32)
                took[name].append(time.thread_time() - began)
    except UnsupportedAlgorithm:
        return True
    return min(took["reference"]) < min(took["openssl"])


def _by_openssl(clear: bytes, salt: bytes, memory_kib: int, iterations: int, lanes: int, length: int) -> str:
    kdf = Argon2id(salt=salt, length=length, iterations=iterations, lanes=lanes, memory_cost=memory_kib)
    return kdf.derive_phc_encoded(clear)


def _made_by_reference(
    clear: bytes, salt: bytes, memory_kib: int, iterations: int, lanes: int, length: int
) -> str:
    # imported here: commands never need it
    from argon2.low_level import Type, hash_secret

    return hash_secret(clear, salt, iterations, memory_kib, lanes, length, Type.ID).decode("ascii")


def _by_reference(stored: str, clear: bytes) -> bool:
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
