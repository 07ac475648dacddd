"""Recognition of password hashes by their own formats, as other systems write them.

Nothing is guessed: whether a salt is hexadecimal or Base64 follows from the format, or has to be said. A text that is no known format is
never shown, since it may be a password.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Mapping
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
)
from doorward.adapters.hashing.imported import LONGEST, parse
from doorward.features.admin.error import refused

_LDAP: Final = re.compile(r"\{(S?)(MD5|SHA|SHA256|SHA512)\}(.+)", re.IGNORECASE)
_LDAP_DIGESTS: Final[dict[str, Digest]] = {
    "md5": "md5",
    "sha": "sha1",
    "sha256": "sha256",
    "sha512": "sha512",
}
_LDAP_OTHER: Final = re.compile(r"\{(?:CRYPT|ARGON2)\}(?=\$)", re.IGNORECASE)
_KNOWN: Final = re.compile(
    r"\$(?:argon2|2[aby]\$|1\$|5\$|6\$|pbkdf2|scrypt\$|fbscrypt\$)|(?:pbkdf2_sha(?:1|256)|argon2|bcrypt|bcrypt_sha256|scrypt|md5|sha1)\$"
    r"|(?:pbkdf2|scrypt):|\{S?(?:MD5|SHA|SHA256|SHA512)\}|\{(?:CRYPT|ARGON2)\}",
    re.IGNORECASE,
)
_PRF: Final[tuple[Digest, ...]] = ("sha1", "sha256", "sha512")


def damaged(kind: str) -> Exception:
    """The refusal of a hash that is not whole; its text is not shown."""
    return refused("import_hash_damaged", kind=kind)


def recognise(text: str) -> ForeignHash | None:
    """The hash; None where the format is unknown. Raises `AdminError` for one of a known format that is damaged."""
    text = _LDAP_OTHER.sub("", text)
    if len(text) > LONGEST or not text.isascii():
        if _KNOWN.match(text):
            raise damaged("a password hash")
        return None
    try:
        found = parse(text) or _parsed(text) or _of_aspnet(text)
    except (ValueError, Error):
        found = None
    if found is None and _KNOWN.match(text):
        raise damaged("a password hash")
    return found


def _parsed(text: str) -> ForeignHash | None:
    if text.startswith("$argon2"):
        return Argon2(text)
    if text.startswith("bcrypt$"):
        return Bcrypt(text.removeprefix("bcrypt$"))
    if text.startswith("$fbscrypt$"):
        return _of_fbscrypt(text.split("$")[2:])
    ldap = _LDAP.fullmatch(text)
    if ldap is not None:
        return _of_ldap(bool(ldap[1]), _LDAP_DIGESTS[ldap[2].lower()], ldap[3])
    parts = text.split("$")
    match parts:
        case ["md5" | "sha1" as digest, salt, value]:
            return PlainDigest(digest, "before", salt.encode(), bytes.fromhex(value))
        case ["scrypt", n, salt, r, p, value]:
            return Scrypt(power_of(int(n)), int(r), int(p), salt.encode(), from_base64(value))
        case [method, salt, value] if method.startswith(("scrypt:", "pbkdf2:")):
            return _of_werkzeug(method.split(":"), salt.encode(), bytes.fromhex(value))
        case _:
            return None


def _of_werkzeug(method: list[str], salt: bytes, value: bytes) -> ForeignHash | None:
    match method:
        case ["scrypt", n, r, p]:
            return Scrypt(power_of(int(n)), int(r), int(p), salt, value)
        case ["pbkdf2", "sha1" | "sha256" | "sha512" as digest, rounds]:
            return Pbkdf2(digest, int(rounds), salt, value)
        case _:
            return None


def _of_ldap(salted: bool, digest: Digest, text: str) -> ForeignHash:
    data = from_base64(text)
    size = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}[digest]
    if (len(data) > size) != salted:
        raise ValueError(digest)
    return PlainDigest(digest, "after", data[size:], data[:size])


def _of_fbscrypt(parts: list[str]) -> ForeignHash:
    """Supabase's form of a Firebase hash: `v=1,n=14,r=8,p=1,ss=…,sk=…`, salt, hash; `n` is a power of two's exponent."""
    numbers, salt, value = parts
    named = {name: text for name, _, text in (pair.partition("=") for pair in numbers.split(","))}
    if named.pop("v", None) != "1" or set(named) != {"n", "r", "p", "ss", "sk"}:
        raise ValueError
    config = HashConfig(
        signer_key=from_base64(named["sk"]),
        separator=from_base64(named["ss"]),
        rounds=int(named["r"]),
        mem_cost=int(named["n"]),
    )
    return config.hashed(salt=from_base64(salt), value=from_base64(value), lanes=int(named["p"]))


def _of_aspnet(text: str) -> ForeignHash | None:
    """ASP.NET Core Identity: Base64 of a byte for the version, then version 2 (salt of 16 bytes, 32 bytes of PBKDF2-SHA-1 with 1000
    iterations), or version 3 (three 32-bit numbers, high byte first: function, iterations, size of the salt; salt; digest)."""
    try:
        data = b64decode(text, validate=True)
    except Error:
        return None
    if len(data) == 49 and data[0] == 0:
        return Pbkdf2("sha1", 1000, data[1:17], data[17:])
    if len(data) < 13 or data[0] != 1:
        return None
    function, rounds, size = (int.from_bytes(data[at : at + 4], "big") for at in (1, 5, 9))
    if function >= len(_PRF) or not 8 <= size <= 64 or len(data) < 13 + size + 16:
        return None
    return Pbkdf2(_PRF[function], rounds, data[13 : 13 + size], data[13 + size :])


class HashConfig:
    """The parameters of a Firebase project; the signer key is a secret of that project, and is not stored."""

    def __init__(self, *, signer_key: bytes, separator: bytes, rounds: int, mem_cost: int) -> None:
        self._key, self._separator, self._rounds, self._mem_cost = signer_key, separator, rounds, mem_cost

    def hashed(self, *, salt: bytes, value: bytes, lanes: int = 1) -> ForeignHash:
        """The hash of one person. Raises ValueError when it does not have the signer key's size."""
        stream = bytes(a ^ b for a, b in zip(value, self._key, strict=True))
        return FirebaseScrypt(self._mem_cost, self._rounds, lanes, salt + self._separator, stream)


_CONFIG: Final = re.compile(
    r'"?(base64_signer_key|base64_salt_separator|rounds|mem_cost)"?\s*[:=]\s*"?([\w+/=-]+)"?'
)


def read_hash_config(text: str) -> HashConfig:
    """The parameters as the Firebase console shows them (`hash_config { … }`). Raises `AdminError` naming what is missing."""
    found = dict(_CONFIG.findall(text))
    for name in ("base64_signer_key", "base64_salt_separator", "rounds", "mem_cost"):
        if name not in found:
            raise refused("import_parameter_missing", name=name)
    try:
        return HashConfig(
            signer_key=from_base64(found["base64_signer_key"]),
            separator=from_base64(found["base64_salt_separator"]),
            rounds=int(found["rounds"]),
            mem_cost=int(found["mem_cost"]),
        )
    except (ValueError, Error):
        raise refused("import_parameter_missing", name="hash_config") from None


def described(members: Mapping[str, Any]) -> ForeignHash | None:
    """A hash given as an object: `kind`, parameters, and salt and hash with their encoding in the member's name (`salt_text`, `salt_hex`,
    `salt_base64`, `hash_hex`, `hash_base64`). None where the kind is unknown. Raises `AdminError`."""
    kind = members.get("kind")
    if not isinstance(kind, str):
        raise damaged("a password hash")
    build = _KINDS.get(kind.lower())
    if build is None:
        return None
    try:
        return build(kind.lower(), members)
    except (ValueError, TypeError, KeyError, Error, OverflowError):
        raise damaged(kind) from None


def _pbkdf2(kind: str, members: Mapping[str, Any]) -> ForeignHash:
    digest = cast("Digest", kind.removeprefix("pbkdf2-"))
    return Pbkdf2(digest, _whole(members["iterations"]), _salt(members), _hash(members))


def _scrypt(_: str, members: Mapping[str, Any]) -> ForeignHash:
    n, r, p = (_whole(members[name]) for name in ("n", "r", "p"))
    return Scrypt(power_of(n), r, p, _salt(members), _hash(members))


def _bcrypt(_: str, members: Mapping[str, Any]) -> ForeignHash:
    """Salt and hash are in bcrypt's own Base64."""
    version, cost = members.get("version", "2b"), _whole(members["cost"])
    return Bcrypt(f"${version}${cost:02}${members['salt']}{members['hash']}")


def _argon2(kind: str, members: Mapping[str, Any]) -> ForeignHash:
    from base64 import b64encode

    salt, value = (b64encode(part).decode().rstrip("=") for part in (_salt(members), _hash(members)))
    memory, passes, lanes = (_whole(members[name]) for name in ("memory_kib", "iterations", "lanes"))
    version = _whole(members.get("version", 19))
    return Argon2(f"${kind}$v={version}$m={memory},t={passes},p={lanes}${salt}${value}")


def _plain(kind: str, members: Mapping[str, Any]) -> ForeignHash:
    order = members.get("salt_order", "before")
    if order not in {"before", "after"}:
        raise ValueError(order)
    salted = any(name.startswith("salt_") and name != "salt_order" for name in members)
    return PlainDigest(cast("Digest", kind), order, _salt(members) if salted else b"", _hash(members))


_KINDS: Final[Mapping[str, Callable[[str, Mapping[str, Any]], ForeignHash]]] = {
    **dict.fromkeys(("pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512"), _pbkdf2),
    **dict.fromkeys(("argon2id", "argon2i", "argon2d"), _argon2),
    **dict.fromkeys(("md5", "sha1", "sha256", "sha512"), _plain),
    "scrypt": _scrypt,
    "bcrypt": _bcrypt,
}


def _salt(members: Mapping[str, Any]) -> bytes:
    text = members.get("salt_text")
    return text.encode() if isinstance(text, str) else _bytes(members, "salt")


def _hash(members: Mapping[str, Any]) -> bytes:
    return _bytes(members, "hash")


def _bytes(members: Mapping[str, Any], name: str) -> bytes:
    digits = members.get(f"{name}_hex")
    return bytes.fromhex(digits) if isinstance(digits, str) else from_base64(members[f"{name}_base64"])


def from_base64(text: object) -> bytes:
    """Standard Base64 or its URL alphabet. Raises ValueError, and TypeError for what is no text."""
    if not isinstance(text, str):
        raise TypeError
    plain = text.rstrip("=").translate({45: "+", 95: "/"})
    return b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def power_of(n: int) -> int:
    """The exponent of a power of two. Raises ValueError for another number."""
    if n < 2 or n & (n - 1) or n > 1 << 40:
        raise ValueError(n)
    return n.bit_length() - 1
