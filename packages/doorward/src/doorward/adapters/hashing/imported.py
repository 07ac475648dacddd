"""Stored form of imported password hashes: one text for each, and back; and their verification at the first sign-in.

The forms are those of Django and passlib where they have one. Argon2 with foreign parameters has Django's prefix, so that it is told from
our own: it was made of the text as typed, ours of its NFKC form. Bounds are checked on the way back too (`hashing/foreign.py`).
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from typing import Any, Final, cast

from doorward.adapters.hashing.foreign import (
    Argon2,
    Bcrypt,
    Digest,
    FirebaseScrypt,
    ForeignHash,
    Pbkdf2,
    PlainDigest,
    Scrypt,
    UnixCrypt,
)

LONGEST: Final = 1024
"""Characters of a stored hash."""

_DJANGO: Final[dict[str, Digest]] = {"pbkdf2_sha256": "sha256", "pbkdf2_sha1": "sha1"}
_MODULAR: Final[dict[str, Digest]] = {"pbkdf2": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}
_MODULAR_NAMES: Final = {digest: name for name, digest in _MODULAR.items()}
ARGON2: Final = "argon2"
BCRYPT_SHA256: Final = "bcrypt_sha256"
SCRYPT: Final = "scrypt"
FIREBASE: Final = "firebase_scrypt"
PLAIN: Final = "plain_digest"
_NUMBERS: Final = re.compile(r"ln=(\d{1,3}),r=(\d{1,9}),p=(\d{1,9})")


def verify_imported(stored: str, *clear: bytes) -> bool:
    """Whether one of the spellings of a password made the hash. False for other or damaged text, and beyond the bounds."""
    hashed = parse(stored)
    if hashed is None or hashed.fault() is not None:
        return False
    return any(hashed.matches(spelling) for spelling in dict.fromkeys(clear))


def to_stored(hashed: ForeignHash) -> str:
    """The text for the database. `parse` reads it again."""
    match hashed:
        case Pbkdf2():
            return f"${_MODULAR_NAMES[hashed.digest]}${hashed.rounds}${_adapted(hashed.salt)}${_adapted(hashed.wanted)}"
        case Scrypt():
            numbers = f"ln={hashed.log_n},r={hashed.r},p={hashed.p}"
            return f"${SCRYPT}${numbers}${_adapted(hashed.salt)}${_adapted(hashed.wanted)}"
        case FirebaseScrypt():
            numbers = f"ln={hashed.log_n},r={hashed.r},p={hashed.p}"
            return f"${FIREBASE}${numbers}${_adapted(hashed.salt)}${_adapted(hashed.stream)}"
        case Bcrypt():
            return f"{BCRYPT_SHA256}${hashed.text}" if hashed.hashed else hashed.text
        case Argon2():
            return f"{ARGON2}{hashed.phc}"
        case UnixCrypt():
            return hashed.text
        case PlainDigest():
            return (
                f"${PLAIN}${hashed.digest}${hashed.order}${_adapted(hashed.salt)}${_adapted(hashed.wanted)}"
            )
        case _:
            raise TypeError(hashed.kind)


def parse(stored: str) -> ForeignHash | None:
    """The hash of a stored text; None for text that is none. It may have a `fault`."""
    if len(stored) > LONGEST or not stored.isascii():
        return None
    first, _, rest = stored.partition("$")
    if first == ARGON2 and rest.startswith("argon2"):
        return Argon2(f"${rest}")
    if first == BCRYPT_SHA256:
        return Bcrypt(rest, hashed=True)
    if first in _DJANGO:
        return _of_django(_DJANGO[first], rest)
    if first:
        return None
    if stored.startswith(("$2a$", "$2b$", "$2y$")):
        return Bcrypt(stored)
    if stored.startswith(("$1$", "$5$", "$6$")):
        return UnixCrypt(stored)
    name, _, rest = rest.partition("$")
    try:
        return _modular(name, rest.split("$"))
    except ValueError:
        return None


def _of_django(digest: Digest, rest: str) -> ForeignHash | None:
    parts = rest.split("$")
    if len(parts) != 3 or not _number(parts[0]):
        return None
    try:
        wanted = b64decode(parts[2], validate=True)
    except Error:
        return None
    return Pbkdf2(digest, int(parts[0]), parts[1].encode(), wanted)


def _modular(name: str, parts: list[str]) -> ForeignHash | None:
    if name in _MODULAR and len(parts) == 3 and _number(parts[0]):
        return Pbkdf2(_MODULAR[name], int(parts[0]), adapted(parts[1]), adapted(parts[2]))
    if name in {SCRYPT, FIREBASE} and len(parts) == 3:
        numbers = _NUMBERS.fullmatch(parts[0])
        if numbers is None:
            return None
        log_n, r, p = (int(number) for number in numbers.groups())
        salt, digest = adapted(parts[1]), adapted(parts[2])
        if name == SCRYPT:
            return Scrypt(log_n=log_n, r=r, p=p, salt=salt, wanted=digest)
        return FirebaseScrypt(log_n=log_n, r=r, p=p, salt=salt, stream=digest)
    if name == PLAIN and len(parts) == 4 and parts[1] in {"before", "after"}:
        return PlainDigest(
            cast("Digest", parts[0]), cast("Any", parts[1]), adapted(parts[2]), adapted(parts[3])
        )
    return None


def _number(text: str) -> bool:
    return text.isdigit() and len(text) <= 10


def adapted(text: str) -> bytes:
    """passlib's Base64: `.` for `+`, no padding. Raises ValueError."""
    return b64decode(text.replace(".", "+") + "=" * (-len(text) % 4), validate=True)


def _adapted(data: bytes) -> str:
    return b64encode(data).decode().rstrip("=").replace("+", ".")
