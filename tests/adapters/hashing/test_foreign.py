"""Password hashes of other systems, each made by a library of its own: the right password, a wrong one, and hostile parameters."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

import argon2
import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.adapters.hashing.argon2 import Argon2Hasher
from doorward.adapters.hashing.foreign import (
    Argon2,
    Bcrypt,
    FirebaseScrypt,
    ForeignHash,
    Pbkdf2,
    PlainDigest,
    Scrypt,
    UnixCrypt,
)
from doorward.adapters.hashing.imported import parse, to_stored, verify_imported
from doorward.core.model.policy import PasswordPolicy
from doorward.core.model.secret import Secret
from tests.features.admin.imports.exports import unix_crypt

PASSWORDS = {
    "short": "x",
    "100 bytes": "b" * 100,
    "beyond ASCII": "pässwörd 🔑 日本",
    "decomposed": "e\u0301cole",
}
SALT = b"salt of sixteen!"


def made(clear: bytes) -> dict[str, ForeignHash]:
    """A hash of each kind."""
    argon = argon2.low_level.hash_secret(clear, SALT, 1, 64, 1, 32, argon2.Type.ID).decode()
    older = argon2.low_level.hash_secret(clear, SALT, 3, 64, 2, 24, argon2.Type.I, version=16).decode()
    prehashed = bcrypt.hashpw(hashlib.sha256(clear).hexdigest().encode(), bcrypt.gensalt(4)).decode()
    return {
        "argon2id": Argon2(argon),
        "argon2i": Argon2(older),
        "bcrypt": Bcrypt(bcrypt.hashpw(clear[:72], bcrypt.gensalt(4)).decode()),
        "bcrypt 2y": Bcrypt(bcrypt.hashpw(clear[:72], bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$")),
        "bcrypt_sha256": Bcrypt(prehashed, hashed=True),
        "pbkdf2": Pbkdf2("sha512", 1000, SALT, hashlib.pbkdf2_hmac("sha512", clear, SALT, 1000)),
        "pbkdf2 of two blocks": Pbkdf2(
            "sha256", 1000, SALT, hashlib.pbkdf2_hmac("sha256", clear, SALT, 1000, 64)
        ),
        "scrypt": Scrypt(10, 8, 1, SALT, hashlib.scrypt(clear, salt=SALT, n=1024, r=8, p=1)),
        "sha512-crypt": UnixCrypt(unix_crypt("sha512_crypt").using(rounds=1000).hash(clear)),
        "sha256-crypt": UnixCrypt(unix_crypt("sha256_crypt").using(rounds=5000).hash(clear)),
        "md5-crypt": UnixCrypt(unix_crypt("md5_crypt").hash(clear)),
        "salt before": PlainDigest("sha256", "before", SALT, hashlib.sha256(SALT + clear).digest()),
        "salt after": PlainDigest("sha1", "after", SALT, hashlib.sha1(clear + SALT).digest()),
        "no salt": PlainDigest("md5", "before", b"", hashlib.md5(clear).digest()),
    }


KINDS = sorted(made(b"x"))


@pytest.mark.parametrize("password", PASSWORDS.values(), ids=list(PASSWORDS))
def test_the_right_password_matches_and_a_wrong_one_does_not(password: str) -> None:
    clear = password.encode()
    for kind, hashed in made(clear).items():
        assert hashed.fault() is None, kind
        stored = to_stored(hashed)
        assert parse(stored) == hashed, kind
        assert verify_imported(stored, clear), kind
        assert not verify_imported(stored, b"y" + clear), kind
        assert not verify_imported(stored, b""), kind
        # bcrypt itself cuts at 72 bytes; all others do not cut
        assert verify_imported(stored, clear + b"y") is (
            kind in {"bcrypt", "bcrypt 2y"} and len(clear) >= 72
        ), kind


@pytest.mark.parametrize("kind", KINDS)
def test_any_of_the_given_spellings_matches(kind: str) -> None:
    stored = to_stored(made("e\u0301".encode())[kind])
    assert verify_imported(stored, "e\u0301".encode(), "é".encode())
    assert verify_imported(stored, "é".encode(), "e\u0301".encode())
    assert not verify_imported(stored, "é".encode(), b"e")


def test_a_password_with_a_zero_byte_is_not_the_one_that_bcrypt_takes_it_for() -> None:
    """bcrypt repeats the password with a zero behind it, so these two have one hash."""
    hashed = bcrypt.hashpw(b"a", bcrypt.gensalt(4))
    assert bcrypt.checkpw(b"a\0a", hashed)
    assert verify_imported(hashed.decode(), b"a")
    assert not verify_imported(hashed.decode(), b"a\0a")
    whole: dict[str, ForeignHash] = {
        "argon2id": Argon2(
            argon2.low_level.hash_secret(b"a\0b", SALT, 1, 64, 1, 32, argon2.Type.ID).decode()
        ),
        "bcrypt_sha256": Bcrypt(
            bcrypt.hashpw(hashlib.sha256(b"a\0b").hexdigest().encode(), bcrypt.gensalt(4)).decode(),
            hashed=True,
        ),
        "pbkdf2": Pbkdf2("sha256", 1000, SALT, hashlib.pbkdf2_hmac("sha256", b"a\0b", SALT, 1000)),
        "scrypt": Scrypt(10, 8, 1, SALT, hashlib.scrypt(b"a\0b", salt=SALT, n=1024, r=8, p=1)),
    }
    for kind, each in whole.items():
        assert verify_imported(to_stored(each), b"a\0b"), kind
        assert not verify_imported(to_stored(each), b"a"), kind
    for kind in ("sha512-crypt", "md5-crypt"):
        assert not verify_imported(to_stored(made(b"a")[kind]), b"a\0b")


def test_firebase_scrypt_matches_the_documented_example_without_the_signer_key() -> None:
    """The example of https://github.com/firebase/scrypt."""
    from base64 import b64decode

    key = b64decode(
        "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
    )
    value = b64decode(
        "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
    )
    stream = bytes(a ^ b for a, b in zip(key, value, strict=True))
    hashed = FirebaseScrypt(14, 8, 1, b64decode("42xEC+ixf3L2lw==") + b64decode("Bw=="), stream)
    stored = to_stored(hashed)
    assert parse(stored) == hashed
    assert verify_imported(stored, b"user1password")
    assert not verify_imported(stored, b"user2password")
    assert b64encode(key).decode()[:20] not in stored


HUGE = 2**31
HOSTILE: dict[str, ForeignHash] = {
    "bcrypt cost 31": Bcrypt("$2b$31$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e"),
    "prehashed bcrypt cost 31": Bcrypt("$2b$31$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e", hashed=True),
    "argon2 of 4 GiB": Argon2("$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$" + "A" * 43),
    "argon2 of 2^31 passes": Argon2(f"$argon2id$v=19$m=1024,t={HUGE},p=1$c29tZXNhbHQ$" + "A" * 43),
    "argon2 of 255 lanes": Argon2("$argon2id$v=19$m=19456,t=2,p=255$c29tZXNhbHQ$" + "A" * 43),
    "pbkdf2": Pbkdf2("sha256", HUGE, SALT, b"x" * 32),
    "pbkdf2 of many blocks": Pbkdf2("sha256", 4_000_000, SALT, b"x" * 128),
    "scrypt of 4 GiB": Scrypt(22, 8, 1, SALT, b"x" * 32),
    "scrypt of a large r": Scrypt(4, HUGE, 1, SALT, b"x" * 32),
    "scrypt of a large p": Scrypt(14, 8, HUGE, SALT, b"x" * 32),
    "scrypt of a large N": Scrypt(200, 1, 1, SALT, b"x" * 32),
    "firebase": FirebaseScrypt(24, 8, 1, SALT, b"x" * 64),
    "sha512-crypt": UnixCrypt("$6$rounds=999999999$saltsalt$" + "a" * 86),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.requirement(79)
def test_parameters_beyond_the_bounds_are_refused_without_work(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the import by `fault`, and at a sign-in even where the row was written by somebody else."""
    hashed = HOSTILE[name]
    assert hashed.fault() == "costly"
    monkeypatch.setattr(type(hashed), "matches", _never)
    assert not verify_imported(to_stored(hashed), b"secret")


def _never(*_: object) -> bool:
    raise AssertionError("work was done")


def test_the_length_of_a_typed_password_does_not_multiply_the_rounds_of_sha_crypt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed = UnixCrypt("$6$rounds=700000$saltsalt$" + "a" * 86)
    assert hashed.fault() is None
    monkeypatch.setattr("passlib.hash.sha512_crypt.verify", _never)
    assert not verify_imported(to_stored(hashed), b"x" * 257)
    with pytest.raises(AssertionError):
        verify_imported(to_stored(hashed), b"x" * 256)


DAMAGED: list[ForeignHash] = [
    Bcrypt("$2b$12$short"),
    Bcrypt("$2x$12$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e"),
    Bcrypt("$2b$03$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e"),
    Argon2("$argon2id$v=19$m=0,t=1,p=1$c29tZXNhbHQ$" + "A" * 43),
    Argon2("$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$" + "A" * 43),
    Argon2("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAA"),
    Pbkdf2("sha256", 1000, SALT, b"x"),
    Pbkdf2("sha256", 0, SALT, b"x" * 32),
    Scrypt(0, 8, 1, SALT, b"x" * 32),
    Scrypt(14, 8, 1, SALT, b"x" * 4),
    FirebaseScrypt(14, 8, 1, b"", b"x" * 64),
    FirebaseScrypt(14, 8, 1, SALT, b""),
    UnixCrypt("$6$saltsalt$" + "a" * 43),
    UnixCrypt("$6$rounds=0$saltsalt$" + "a" * 86),
    PlainDigest("sha256", "before", SALT, b"x" * 31),
]


@pytest.mark.parametrize("hashed", DAMAGED, ids=[to_stored(each)[:40] for each in DAMAGED])
def test_a_damaged_hash_is_refused_and_matches_nothing(hashed: ForeignHash) -> None:
    """A digest of one byte would match every 256th password."""
    assert hashed.fault() == "damaged"
    assert not verify_imported(to_stored(hashed), b"x")


def test_weak_hashes_are_told_from_others() -> None:
    weak = {kind for kind, hashed in made(b"x").items() if hashed.weak()}
    assert weak == {"md5-crypt", "salt before", "salt after", "no salt"}
    assert Pbkdf2("sha256", 999, SALT, b"x" * 32).weak()


@given(
    st.text(max_size=200)
    | st.from_regex(r"\A\$?(argon2|pbkdf2_sha256|scrypt|firebase_scrypt|plain_digest|6|2b)\$[^\n]{0,100}")
)
def test_any_stored_text_is_verified_without_an_exception(stored: str) -> None:
    assert not verify_imported(stored, b"secret")


@pytest.mark.anyio
async def test_imported_argon2_of_our_own_parameters_is_replaced_and_takes_the_text_as_typed() -> None:
    """Ours is made of the NFKC form, an imported one of what was typed: the prefix tells them apart."""
    hasher = Argon2Hasher(PasswordPolicy(threads=1))
    try:
        raw, prepared = Secret("e\u0301cole ancienne"), Secret("école ancienne")
        ours = await hasher.hash(raw)
        stored = to_stored(Argon2(ours))
        assert not hasher.outdated(ours)
        assert hasher.outdated(stored)
        assert await hasher.verify(stored, prepared, typed=raw)
        assert not await hasher.verify(stored, prepared)
        assert not await hasher.verify(ours, prepared, typed=raw)
    finally:
        hasher.close()


def test_every_kind_is_outdated_so_that_the_first_sign_in_replaces_it() -> None:
    hasher: Any = Argon2Hasher(PasswordPolicy(threads=1))
    assert all(hasher.outdated(to_stored(hashed)) for hashed in made(b"x").values())
