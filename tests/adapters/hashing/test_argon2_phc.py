"""Agreement of two Argon2 implementations on every PHC string, our own and imported ones."""

from __future__ import annotations

import os
from typing import Any

import pytest
from argon2.low_level import ARGON2_VERSION, Type, hash_secret, verify_secret
from cryptography.exceptions import UnsupportedAlgorithm

from doorward.adapters.hashing import argon2_phc

CLEAR = b"correct horse battery staple"
COST = argon2_phc.parameters(19_456, 2, 1)


@pytest.fixture(params=["the reference code is faster", "OpenSSL is faster"], autouse=True)
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    reference = request.param.startswith("the reference")
    monkeypatch.setattr(argon2_phc, "reference_is_faster", lambda: reference)
    return reference


def used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The implementations that are called from now on."""
    called: list[str] = []
    for owner, name in (
        (argon2_phc.Argon2id, "verify_phc_encoded"),
        (argon2_phc, "_by_openssl"),
        (argon2_phc, "_by_reference"),
        (argon2_phc, "_made_by_reference"),
    ):
        original = getattr(owner, name)

        def watched(*given: Any, original: Any = original, name: str = name) -> Any:
            called.append(name)
            return original(*given)

        if owner is not argon2_phc:
            monkeypatch.setitem(
                argon2_phc._OPENSSL, "argon2id", type("Watched", (), {name: staticmethod(watched)})
            )
        else:
            monkeypatch.setattr(owner, name, watched)
    return called


@pytest.mark.requirement(80)
def test_passwords_and_the_decoy_go_to_the_same_implementation(
    monkeypatch: pytest.MonkeyPatch, *, implementation: bool
) -> None:
    made = argon2_phc.made(CLEAR, b"s" * 16, memory_kib=64, iterations=1, lanes=1, length=32)
    decoy = argon2_phc.unmatched(b"s" * 16, os.urandom(32), memory_kib=64, iterations=1, lanes=1)
    called = used(monkeypatch)
    assert argon2_phc.matches(made, CLEAR)
    assert not argon2_phc.matches(decoy, CLEAR)
    argon2_phc.made(CLEAR, b"s" * 16, memory_kib=64, iterations=1, lanes=1, length=32)
    expected = (
        ("_by_reference", "_made_by_reference") if implementation else ("verify_phc_encoded", "_by_openssl")
    )
    assert called == [expected[0], expected[0], expected[1]]


def test_several_lanes_start_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    called = used(monkeypatch)
    made = argon2_phc.made(CLEAR, b"s" * 16, memory_kib=64, iterations=1, lanes=4, length=32)
    assert argon2_phc.matches(made, CLEAR)
    assert called == ["_by_openssl", "verify_phc_encoded"]


def test_without_argon2_in_openssl_the_reference_code_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_given: Any, **_named: Any) -> Any:
        raise UnsupportedAlgorithm("no Argon2")

    monkeypatch.setattr(argon2_phc, "Argon2id", missing)
    made = argon2_phc.made(CLEAR, b"s" * 16, memory_kib=64, iterations=1, lanes=2, length=32)
    assert verify_secret(made.encode(), CLEAR, Type.ID)


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


@pytest.mark.parametrize("faster", ["_made_by_reference", "_by_openssl", "neither"])
def test_the_implementation_with_the_least_time_is_chosen(
    monkeypatch: pytest.MonkeyPatch, faster: str
) -> None:
    """By the processor time of its best hash, since the first one has to get its memory."""
    monkeypatch.undo()
    spent = [0.0]
    costs = {"_made_by_reference": [9.0, 2.0, 3.0], "_by_openssl": [9.0, 2.0, 3.0]}
    if faster == "neither":
        monkeypatch.setattr(
            argon2_phc, "Argon2id", lambda **_: (_ for _ in ()).throw(UnsupportedAlgorithm("no"))
        )
    else:
        costs[faster][1] = 1.0
        for name, left in costs.items():

            def hashed(*_given: Any, left: list[float] = left) -> str:
                spent[0] += left.pop(0)
                return ""

            monkeypatch.setattr(argon2_phc, name, hashed)
        monkeypatch.setattr(argon2_phc.time, "thread_time", lambda: spent[0])
    assert argon2_phc.reference_is_faster.__wrapped__() is (faster != "_by_openssl")
