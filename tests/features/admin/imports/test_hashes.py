"""Recognition of password hashes by their own formats, with texts that other libraries made or whose layout is built here byte by byte."""

from __future__ import annotations

import hashlib
import json
import struct
from base64 import b64decode, b64encode
from typing import Any

import django.conf
import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from doorward.adapters.hashing.foreign import PlainDigest
from doorward.adapters.hashing.imported import to_stored, verify_imported
from doorward.features.admin.error import AdminError
from doorward.features.admin.imports.hashes import described, read_hash_config, recognise

CLEAR = "pässwörd of Ada"
SALT = b"0123456789abcdef"


def b64(data: bytes) -> str:
    """Standard Base64."""
    return b64encode(data).decode()


def aspnet(function: int, rounds: int, *, digest: str, clear: str = CLEAR) -> str:
    """Version 3 of ASP.NET Core Identity, as its documentation lays it out."""
    subkey = hashlib.pbkdf2_hmac(digest, clear.encode(), SALT, rounds, 32)
    return b64(struct.pack(">BIII", 1, function, rounds, len(SALT)) + SALT + subkey)


def ldap(scheme: str, digest: str, salt: bytes = SALT) -> str:
    """RFC 2307 as directories extend it: the digest of password and salt, then the salt."""
    return f"{{{scheme}}}" + b64(hashlib.new(digest, CLEAR.encode() + salt).digest() + salt)


def of_django() -> dict[str, str]:
    """Made by Django itself."""
    if not django.conf.settings.configured:
        django.conf.settings.configure()
    from django.contrib.auth import hashers

    found: dict[str, Any] = {
        "pbkdf2": hashers.PBKDF2PasswordHasher(),
        "pbkdf2 sha1": hashers.PBKDF2SHA1PasswordHasher(),
        "argon2": hashers.Argon2PasswordHasher(),
        "bcrypt": hashers.BCryptPasswordHasher(),
        "bcrypt_sha256": hashers.BCryptSHA256PasswordHasher(),
        "scrypt": hashers.ScryptPasswordHasher(),
        "md5": hashers.MD5PasswordHasher(),
    }
    for hasher in (found["bcrypt"], found["bcrypt_sha256"]):
        hasher.rounds = 4
    for hasher in (found["pbkdf2"], found["pbkdf2 sha1"]):
        hasher.iterations = 1000
    return {f"django {name}": hasher.encode(CLEAR, hasher.salt()) for name, hasher in found.items()}


TEXTS: dict[str, str] = {
    **of_django(),
    "argon2": PasswordHasher(1, 64, 1).hash(CLEAR),
    "directory argon2": "{ARGON2}" + PasswordHasher(1, 64, 1).hash(CLEAR),
    "aspnet v2": b64(b"\0" + SALT + hashlib.pbkdf2_hmac("sha1", CLEAR.encode(), SALT, 1000, 32)),
    "aspnet v3": aspnet(1, 10_000, digest="sha256"),
    "aspnet v3 of .NET 7": aspnet(2, 100_000, digest="sha512"),
    "werkzeug pbkdf2": "pbkdf2:sha256:1000$saltsalt$"
    + hashlib.pbkdf2_hmac("sha256", CLEAR.encode(), b"saltsalt", 1000).hex(),
    "werkzeug scrypt": "scrypt:1024:8:1$saltsalt$"
    + hashlib.scrypt(CLEAR.encode(), salt=b"saltsalt", n=1024, r=8, p=1).hex(),
    "SSHA": ldap("SSHA", "sha1"),
    "SSHA256": ldap("ssha256", "sha256"),
    "SSHA512": ldap("SSHA512", "sha512"),
    "SMD5": ldap("SMD5", "md5"),
    "SHA": ldap("SHA", "sha1", b""),
    "sha1 of older Django": "sha1$salt$" + hashlib.sha1(b"salt" + CLEAR.encode()).hexdigest(),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_hash_is_recognised_and_verifies_its_password(name: str) -> None:
    hashed = recognise(TEXTS[name])
    assert hashed is not None
    assert hashed.fault() is None
    stored = to_stored(hashed)
    assert verify_imported(stored, CLEAR.encode())
    assert not verify_imported(stored, b"password of Ada")


def test_supabase_writes_firebase_hashes_with_their_parameters() -> None:
    key = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
    value = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
    hashed = recognise(f"$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk={key}$42xEC+ixf3L2lw==${value}")
    assert hashed is not None
    stored = to_stored(hashed)
    assert verify_imported(stored, b"user1password")
    assert key not in stored


OBJECTS: dict[str, dict[str, Any]] = {
    # firebase-tools#248
    "bcrypt with its salt apart": {
        "kind": "bcrypt", "cost": 4, "salt": "abcdefghijklmnopqrstuu", "hash": "Pp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e",
    },
    "pbkdf2": {
        "kind": "pbkdf2-sha256", "iterations": 1000, "salt_hex": SALT.hex(),
        "hash_base64": b64(hashlib.pbkdf2_hmac("sha256", b"x", SALT, 1000)),
    },
    "argon2": {
        "kind": "argon2id", "memory_kib": 64, "iterations": 1, "lanes": 1, "salt_base64": b64(SALT),
        "hash_base64": PasswordHasher(1, 64, 1).hash("x", salt=SALT).rpartition("$")[2],
    },
    "scrypt": {
        "kind": "scrypt", "n": 1024, "r": 8, "p": 1, "salt_text": "salt",
        "hash_hex": hashlib.scrypt(b"x", salt=b"salt", n=1024, r=8, p=1).hex(),
    },
    # firebase-tools#6386
    "salt before": {
        "kind": "sha256", "salt_text": "salt", "salt_order": "before", "hash_hex": hashlib.sha256(b"saltx").hexdigest(),
    },
    "salt after": {
        "kind": "sha256", "salt_text": "salt", "salt_order": "after", "hash_hex": hashlib.sha256(b"xsalt").hexdigest(),
    },
    "no salt": {"kind": "SHA1", "hash_hex": hashlib.sha1(b"x").hexdigest()},
}  # fmt: skip


@pytest.mark.parametrize("name", OBJECTS)
def test_a_described_hash_verifies_its_password(name: str) -> None:
    """firebase-tools#248 (bcrypt with its salt apart), firebase-tools#6386 (salt before and after the password)"""
    hashed = described(OBJECTS[name])
    assert hashed is not None
    assert hashed.fault() is None
    assert verify_imported(to_stored(hashed), b"x")
    assert not verify_imported(to_stored(hashed), b"y")


def test_the_order_of_salt_and_password_matters() -> None:
    one, other = described(OBJECTS["salt before"]), described(OBJECTS["salt after"])
    assert isinstance(one, PlainDigest)
    assert isinstance(other, PlainDigest)
    assert (one.order, other.order) == ("before", "after")
    assert one.wanted != other.wanted


def _damaged(error: AdminError) -> None:
    assert error.problem.code == "import_hash_damaged"


@pytest.mark.parametrize(
    "text",
    ["$2b$12$", "$argon2id$", "$6$", "pbkdf2_sha256$x", "scrypt$15$salt$8$1$AAAA", "scrypt:1000:8:1$s$00", "{SSHA}AAAA",
     "bcrypt_sha256$", "$fbscrypt$v=2,n=14,r=8,p=1,ss=Bw==,sk=AAAA$AAAA$AAAA", "pbkdf2_sha256$" + "1" * 2000,
     "md5$salt$zz"],
)  # fmt: skip
def test_a_damaged_hash_of_a_known_format_is_refused(text: str) -> None:
    try:
        found = recognise(text)
    except AdminError as error:
        _damaged(error)
        assert text not in str(error)  # noqa: PT017
    else:
        assert found is not None
        assert found.fault() == "damaged"


@pytest.mark.parametrize(
    "text", ["hunter2", "", "$9$abc", "crypt$x$y", "=cmd()", "x" * 5000, b64(b"z" * 49), "ä" * 30]
)
def test_a_text_of_no_known_format_is_unknown(text: str) -> None:
    assert recognise(text) is None


def test_a_described_hash_of_an_unknown_kind_is_unknown_and_a_damaged_one_refused() -> None:
    assert described({"kind": "whirlpool", "hash_hex": "00"}) is None
    for changes in ({"iterations": "1000"}, {"iterations": True}, {"salt_hex": "zz"}, {"hash_base64": 5}):
        with pytest.raises(AdminError):
            described({**OBJECTS["pbkdf2"], **changes})


def test_the_parameters_of_a_project_are_read_as_its_console_shows_them() -> None:
    shown = 'hash_config {\n  algorithm: SCRYPT,\n  base64_signer_key: %s,\n  base64_salt_separator: Bw==,\n  rounds: 8,\n  mem_cost: 14,\n}'  # fmt: skip
    key = b64(b"k" * 64)
    for text in (
        shown % key,
        json.dumps({"base64_signer_key": key, "base64_salt_separator": "Bw==", "rounds": 8, "mem_cost": 14}),
    ):
        hashed = read_hash_config(text).hashed(salt=b"salt", value=b"v" * 64)
        assert hashed.fault() is None
        with pytest.raises(ValueError, match="argument"):
            read_hash_config(text).hashed(salt=b"salt", value=b"v" * 63)
    with pytest.raises(AdminError) as caught:
        read_hash_config(shown.replace("mem_cost", "memory") % key)
    assert caught.value.problem.parameters == {"name": "mem_cost"}


_ANY: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.text(max_size=100)
    | st.binary(max_size=60).map(b64)
    | st.sampled_from(list(TEXTS.values())).map(lambda text: text[:-3])
)
def test_any_text_is_recognised_or_refused(text: str) -> None:
    try:
        found = recognise(text)
        if found is not None and found.fault() is None:
            to_stored(found)
    except AdminError as error:
        _damaged(error)


@given(
    st.sampled_from([*OBJECTS.values(), {"kind": "argon2d"}]),
    st.dictionaries(
        st.sampled_from(
            [
                "kind",
                "cost",
                "n",
                "r",
                "p",
                "iterations",
                "salt",
                "hash",
                "salt_hex",
                "hash_hex",
                "hash_base64",
                "salt_base64",
                "salt_text",
                "salt_order",
                "lanes",
            ]
        ),
        _ANY,
    ),
)
def test_any_object_is_read_or_refused(members: dict[str, Any], changes: dict[str, Any]) -> None:
    try:
        found = described({**members, **changes})
        if found is not None:
            found.fault()
    except AdminError as error:
        _damaged(error)


def test_base64_of_either_alphabet_is_read() -> None:
    key = b64decode("+/+/" * 16)
    text = f"base64_signer_key: {'-_-_' * 16}\nbase64_salt_separator: Bw\nrounds: 8\nmem_cost: 14"
    stored = to_stored(read_hash_config(text).hashed(salt=b"s", value=key))
    assert stored.endswith("A" * 40)
