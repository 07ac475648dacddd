"""Agreement of two Argon2 implementations on every PHC string, our own and imported ones."""

from __future__ import annotations

import os

import pytest
from argon2.low_level import ARGON2_VERSION, Type, hash_secret, verify_secret

from doorward.adapters.hashing import argon2_phc

CLEAR = b"correct horse battery staple"
COST = argon2_phc.parameters(19_456, 2, 1)


@pytest.mark.requirement(79)
@pytest.mark.parametrize("length", [16, 32, 64])
@pytest.mark.parametrize("clear", [CLEAR, b"x", b"\xed\xa0\x80" * 20, b"y" * 4096])
def test_the_reference_code_accepts_our_hashes(clear: bytes, length: int) -> None:
    made = argon2_phc.made(clear, os.urandom(16), memory_kib=19_456, iterations=2, lanes=1, length=length)
    assert made.startswith(COST)
    assert verify_secret(made.encode(), clear, Type.ID)
    assert argon2_phc.matches(made, clear)
    assert not argon2_phc.matches(made, clear + b"z")


@pytest.mark.requirement(79)
@pytest.mark.parametrize("version", [0x10, ARGON2_VERSION])
@pytest.mark.parametrize("salt", [b"12345678", b"0123456789abcdef", b"s" * 48])
@pytest.mark.parametrize("lanes", [1, 2, 4])
@pytest.mark.parametrize("kind", list(Type))
def test_hashes_of_the_reference_code_match(kind: Type, lanes: int, salt: bytes, version: int) -> None:
    stored = hash_secret(CLEAR, salt, 3, 1024, lanes, 24, kind, version).decode()
    assert argon2_phc.matches(stored, CLEAR)
    assert not argon2_phc.matches(stored, CLEAR + b".")
    assert not argon2_phc.matches(stored[:-2] + ("AA" if stored[-2:] != "AA" else "BA"), CLEAR)


def test_no_password_matches_the_decoy_hash() -> None:
    stored = argon2_phc.unmatched(os.urandom(16), os.urandom(32), memory_kib=19_456, iterations=2, lanes=1)
    assert stored.startswith(COST)
    assert not argon2_phc.matches(stored, CLEAR)
    assert not verify_or_false(stored)


def verify_or_false(stored: str) -> bool:
    from argon2.exceptions import VerifyMismatchError

    try:
        return verify_secret(stored.encode(), CLEAR, Type.ID)
    except VerifyMismatchError:
        return False
