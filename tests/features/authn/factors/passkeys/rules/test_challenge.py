"""Challenges without a row."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from doorward.features.authn.factors.passkeys.rules.challenge import TTL, ChallengeContext, parts

NOW = 1_800_000_000
RANDOM = bytes(range(16))


def tag(text: str) -> str:
    digest = hashlib.sha256(b"key" + text.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def context(**changes: Any) -> ChallengeContext:
    return ChallengeContext(
        **{"use": "get", "browser_hash": b"b" * 32, "binding": "sin_1", "tag": tag, **changes}
    )


def test_a_challenge_is_valid_where_and_while_it_was_meant() -> None:
    made = context().make(RANDOM, NOW)
    assert len(made) == 40
    assert parts(made) == (RANDOM, NOW + TTL)
    assert context().state(made, NOW) == "valid"
    assert context().state(made, NOW + TTL - 1) == "valid"
    assert context().state(made, NOW + TTL) == "expired"


@pytest.mark.requirement(87)
@pytest.mark.parametrize(
    "changes",
    [
        {"use": "create"},
        {"use": "create_silently"},
        {"browser_hash": b"c" * 32},
        {"binding": "sin_2"},
        {"binding": ""},
        {"tag": lambda text: tag(text + "x")},
    ],
)
def test_a_challenge_of_something_else_is_foreign(changes: dict[str, Any]) -> None:
    made = context().make(RANDOM, NOW)
    assert context(**changes).state(made, NOW) == "foreign"


def test_an_altered_challenge_is_foreign() -> None:
    made = context().make(RANDOM, NOW)
    for at in range(len(made)):
        changed = made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :]
        assert context().state(changed, NOW) == "foreign"
    for changed in (b"", made[:-1], made + b"\0"):
        assert context().state(changed, NOW) == "foreign"


def test_a_challenge_is_pinned() -> None:
    """Nodes of two versions accept each other's challenges."""
    made = context().make(RANDOM, NOW)
    assert made.hex() == "000102030405060708090a0b0c0d0e0f000000006b49d458153bcf5971debb1b888abe09daefb5cf"
