"""Password hashes of other systems: their parameters, the bounds of their cost, and their verification.

Every bound is checked when a hash is read, at the import and again at each sign-in: rounds and memory come out of a file, and a file with
rounds = 2^31 must not hold a hashing thread. Each bound is about one second of one core. All comparisons are in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any, ClassVar, Final, Literal

from msgspec import Struct

from doorward.adapters.hashing import argon2_phc

MAX_ROUNDS: Final = 5_000_000
"""PBKDF2: iterations times blocks of output."""
MAX_SCRYPT_MEMORY: Final = 128 * 1024 * 1024
MAX_SCRYPT_WORK: Final = 1 << 21
"""scrypt: N times r times p."""
MAX_ARGON2_KIB: Final = 256 * 1024
MAX_ARGON2_WORK: Final = 1024 * 1024
"""Argon2: KiB times passes."""
MAX_BCRYPT_COST: Final = 14
MAX_CRYPT_ROUNDS: Final = 700_000
MAX_CRYPT_PASSWORD: Final = 256
"""Bytes. The time of SHA-crypt grows with rounds times length, and the length is chosen by whoever types."""

FEW_ROUNDS: Final = 1000
"""PBKDF2 with fewer iterations is as weak as a plain digest."""
LEAST_DIGEST: Final = 16
"""Bytes. A shorter digest would match other passwords by chance."""
MOST_DIGEST: Final = 128
MOST_SALT: Final = 256

BCRYPT_BYTES: Final = 72
"""bcrypt uses no more of a password; every implementation cuts there."""

Digest = Literal["md5", "sha1", "sha256", "sha512"]
DIGESTS: Final[dict[Digest, int]] = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}
Fault = Literal["damaged", "costly"]


class ForeignHash(Struct, frozen=True):
    """A hash made by another system. `kind` is its name for people."""

    kind: ClassVar[str]

    def fault(self) -> Fault | None:
        """`damaged` for what no password could match, `costly` beyond a bound; None when it may be stored and verified."""
        raise NotImplementedError

    def weak(self) -> bool:
        """Whether a stolen copy of it is soon guessed: a single digest, or next to one."""
        return False

    def matches(self, clear: bytes) -> bool:
        """Whether the password made it. Only for a hash without `fault`."""
        raise NotImplementedError


class Pbkdf2(ForeignHash, frozen=True):
    """PBKDF2 (RFC 8018 §5.2) with HMAC of `digest`."""

    kind: ClassVar[str] = "PBKDF2"
    digest: Digest
    rounds: int
    salt: bytes
    wanted: bytes

    def fault(self) -> Fault | None:
        """The cost is `rounds` for each block of the digest's size in `wanted`."""
        if self.digest not in DIGESTS or self.digest == "md5" or self.rounds < 1 or not _sized(self):
            return "damaged"
        blocks = -(-len(self.wanted) // DIGESTS[self.digest])
        return "costly" if self.rounds * blocks > MAX_ROUNDS else None

    def weak(self) -> bool:
        """Below a thousand iterations."""
        return self.rounds < FEW_ROUNDS

    def matches(self, clear: bytes) -> bool:
        """Recomputed in full length."""
        made = hashlib.pbkdf2_hmac(self.digest, clear, self.salt, self.rounds, dklen=len(self.wanted))
        return hmac.compare_digest(made, self.wanted)


class Scrypt(ForeignHash, frozen=True):
    """scrypt (RFC 7914 §6) with N = 2^`log_n`."""

    kind: ClassVar[str] = "scrypt"
    log_n: int
    r: int
    p: int
    salt: bytes
    wanted: bytes

    def fault(self) -> Fault | None:
        """Memory is 128 N r bytes."""
        return ("damaged" if not _sized(self) else None) or _scrypt_fault(self.log_n, self.r, self.p)

    def matches(self, clear: bytes) -> bool:
        """Recomputed in full length."""
        return hmac.compare_digest(_scrypt(self, clear, self.salt, len(self.wanted)), self.wanted)


class FirebaseScrypt(ForeignHash, frozen=True):
    """Firebase's scrypt. The system encrypts its signer key by AES-256 in counter mode under the first half of the derived key.

    `stream` is the key stream of that encryption: hash and signer key, combined by exclusive or. It verifies a password as the hash does,
    and the signer key itself, a secret of the other system, is not stored. `salt` includes the separator.
    """

    kind: ClassVar[str] = "Firebase scrypt"
    log_n: int
    r: int
    p: int
    salt: bytes
    stream: bytes

    def fault(self) -> Fault | None:
        """As scrypt."""
        sized = LEAST_DIGEST <= len(self.stream) <= MOST_DIGEST and 1 <= len(self.salt) <= MOST_SALT
        return _scrypt_fault(self.log_n, self.r, self.p) if sized else "damaged"

    def matches(self, clear: bytes) -> bool:
        """By encrypting zeros, which gives the key stream."""
        # imported here: only a sign-in with such a hash needs it
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        key = _scrypt(self, clear, self.salt, 32)
        encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
        return hmac.compare_digest(encryptor.update(bytes(len(self.stream))), self.stream)


_BCRYPT: Final = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")


class Bcrypt(ForeignHash, frozen=True):
    """bcrypt. With `hashed`, of the hexadecimal SHA-256 of the password, as Django's `bcrypt_sha256` makes it."""

    kind: ClassVar[str] = "bcrypt"
    text: str
    hashed: bool = False

    def fault(self) -> Fault | None:
        """2^cost rounds."""
        found = _BCRYPT.fullmatch(self.text)
        if found is None or int(found[1]) < 4:
            return "damaged"
        return "costly" if int(found[1]) > MAX_BCRYPT_COST else None

    def matches(self, clear: bytes) -> bool:
        """False for a password with a zero byte: bcrypt repeats the password with a zero behind it, so `a` and `a`, zero, `a` have one
        hash."""
        import bcrypt

        given = hashlib.sha256(clear).hexdigest().encode() if self.hashed else clear[:BCRYPT_BYTES]
        if b"\0" in given:
            return False
        try:
            return bcrypt.checkpw(given, self.text.encode())
        except ValueError:
            return False


_PHC: Final = re.compile(
    r"\$argon2(?:id|i|d)\$(?:v=(?:16|19)\$)?m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,171})"
)


class Argon2(ForeignHash, frozen=True):
    """Argon2 (RFC 9106) as a PHC string, of any variant and with parameters that are not ours."""

    kind: ClassVar[str] = "Argon2"
    phc: str

    def fault(self) -> Fault | None:
        """Memory, and memory times passes."""
        found = _PHC.fullmatch(self.phc)
        if found is None:
            return "damaged"
        memory, passes, lanes = (int(found[number]) for number in (1, 2, 3))
        if memory > MAX_ARGON2_KIB or memory * passes > MAX_ARGON2_WORK or lanes > 64:
            return "costly"
        return "damaged" if not passes or not lanes or memory < 8 * lanes else None

    def matches(self, clear: bytes) -> bool:
        """By OpenSSL or the reference code."""
        return argon2_phc.matches(self.phc, clear)


_CRYPT: Final = re.compile(
    r"\$(?:1\$[^$:\x00-\x20\x7f-\U0010ffff]{1,8}\$[./A-Za-z0-9]{22}"
    r"|[56]\$(?:rounds=([1-9]\d{3,8})\$)?[^$:\x00-\x20\x7f-\U0010ffff]{1,16}\$(?:[./A-Za-z0-9]{43}|[./A-Za-z0-9]{86}))"
)


class UnixCrypt(ForeignHash, frozen=True):
    """A hash of a Unix `crypt` function: SHA-512-crypt (`$6$`), SHA-256-crypt (`$5$`), or md5-crypt (`$1$`), which is weak."""

    kind: ClassVar[str] = "Unix crypt"
    text: str

    def fault(self) -> Fault | None:
        """5000 rounds where none are named."""
        found = _CRYPT.fullmatch(self.text)
        if found is None:
            return "damaged"
        if len(self.text.rpartition("$")[2]) != {"1": 22, "5": 43, "6": 86}[self.text[1]]:
            return "damaged"
        return "costly" if int(found[1] or 5000) > MAX_CRYPT_ROUNDS else None

    def weak(self) -> bool:
        """md5-crypt: a thousand rounds of MD5."""
        return self.text.startswith("$1$")

    def matches(self, clear: bytes) -> bool:
        """By passlib, which refuses a password with a zero byte."""
        if len(clear) > MAX_CRYPT_PASSWORD or b"\0" in clear:
            return False
        # imported here: only a sign-in with such a hash needs it
        import passlib.hash  # pyright: ignore[reportMissingTypeStubs]

        known: Any = passlib.hash
        name = {"1": "md5_crypt", "5": "sha256_crypt", "6": "sha512_crypt"}[self.text[1]]
        try:
            return bool(getattr(known, name).verify(clear, self.text))
        except (ValueError, TypeError):
            return False


class PlainDigest(ForeignHash, frozen=True):
    """One digest of the password with a salt `before` or `after` it: always weak."""

    kind: ClassVar[str] = "a plain digest"
    digest: Digest
    order: Literal["before", "after"]
    salt: bytes
    wanted: bytes

    def fault(self) -> Fault | None:
        """A digest of the right length."""
        known = self.digest in DIGESTS and len(self.wanted) == DIGESTS[self.digest]
        return None if known and len(self.salt) <= MOST_SALT else "damaged"

    def weak(self) -> bool:
        """A graphics card tries thousands of millions a second."""
        return True

    def matches(self, clear: bytes) -> bool:
        """The digest of both parts."""
        whole = self.salt + clear if self.order == "before" else clear + self.salt
        return hmac.compare_digest(
            hashlib.new(self.digest, whole, usedforsecurity=False).digest(), self.wanted
        )


def _sized(hashed: Pbkdf2 | Scrypt) -> bool:
    return LEAST_DIGEST <= len(hashed.wanted) <= MOST_DIGEST and len(hashed.salt) <= MOST_SALT


def _scrypt_fault(log_n: int, r: int, p: int) -> Fault | None:
    if log_n < 1 or r < 1 or p < 1:
        return "damaged"
    if log_n > 24 or (r << log_n) * 128 > MAX_SCRYPT_MEMORY or (r * p << log_n) > MAX_SCRYPT_WORK:
        return "costly"
    return None


def _scrypt(hashed: Scrypt | FirebaseScrypt, clear: bytes, salt: bytes, length: int) -> bytes:
    n = 1 << hashed.log_n
    return hashlib.scrypt(
        clear,
        salt=salt,
        n=n,
        r=hashed.r,
        p=hashed.p,
        dklen=length,
        maxmem=128 * hashed.r * (n + hashed.p + 2) + 1024 * 1024,
    )
