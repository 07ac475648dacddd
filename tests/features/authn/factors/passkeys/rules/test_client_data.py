"""Lies of clients and authenticators: each is refused in both ceremonies."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.features.authn.factors.passkeys.rules import client_data
from doorward.features.authn.factors.passkeys.rules.ceremony import PasskeyProblem
from doorward.features.authn.factors.passkeys.rules.response import padless
from tests.authenticator import ORIGIN, Authenticator
from tests.features.authn.factors.passkeys.ceremonies import EXPECTED, register, stored, use


@pytest.mark.requirement(87)
@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"verified": False}, "user_verification"),
        ({"present": False}, "user_presence"),
        ({"synced": True, "eligible": False}, "backup_state"),
        ({"origin": "https://auth.example.evil.test"}, "origin"),
        ({"origin": "http://auth.example"}, "origin"),
        ({"origin": "https://auth.example:444"}, "origin"),
        ({"extra": {"crossOrigin": True}}, "cross_origin"),
        ({"extra": {"topOrigin": ORIGIN}}, "top_origin"),
        ({"extra": {"type": "webauthn.neither"}}, "type"),
        ({"extra": {"type": 1}}, "unreadable"),
        ({"extra": {"crossOrigin": "no"}}, "unreadable"),
        ({"extra": {"challenge": padless(b"d" * 40)}}, "challenge"),
        ({"extra": {"challenge": padless(b"old")}}, "challenge_expired"),
        ({"extra": {"challenge": "not base64url!"}}, "unreadable"),
    ],
)
def test_each_lie_is_refused_in_both_ceremonies(lie: dict[str, Any], code: str) -> None:
    authenticator = Authenticator()
    passkey = stored(authenticator)
    for name, value in lie.items():
        setattr(authenticator, name, value)
    assert register(authenticator).code == code
    authenticator.credentials.pop()
    assert use(authenticator, passkey).code == code


@pytest.mark.requirement(87)
def test_the_answer_of_one_ceremony_is_not_taken_in_the_other() -> None:
    authenticator = Authenticator()
    passkey = stored(authenticator)
    authenticator.extra = {"type": "webauthn.create"}
    assert use(authenticator, passkey) == PasskeyProblem("type")
    authenticator.extra = {"type": "webauthn.get"}
    assert register(authenticator) == PasskeyProblem("type")


def test_bytes_that_are_no_json_are_unreadable() -> None:
    for raw in (b"", b"{}", b"[]", b"\xff", b"[" * 10_000):
        assert client_data.checked(raw, "webauthn.get", EXPECTED) == PasskeyProblem("unreadable")
