"""Cache of access tokens that come back: no token in it outlives its time or its key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.json import encode

from doorward.core.ports.keys import TokenSigner
from doorward.features.oauth.tokens import access_tokens
from doorward.features.oauth.tokens.access_tokens import AccessTokenReader
from doorward.features.oauth.tokens.rules import own_token
from doorward_verify import jwk, jws
from doorward_verify.keyset import KeySet, key_set
from tests.features import made

KEY = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k")
OTHER = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="other")


@dataclass
class Published:
    """The keys of a signer."""

    set: KeySet

    def keys(self) -> KeySet:
        return self.set


@dataclass
class Reader:
    """A reader that counts its verifications."""

    monkeypatch: pytest.MonkeyPatch
    keys: Published = field(default_factory=lambda: Published(key_set(made.ISSUER, [KEY.public()])))
    verified: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        verify = own_token.claims

        def counted(token: str, keys: KeySet, *, issuer: str, now: int) -> dict[str, Any] | None:
            self.verified.append(token)
            return verify(token, keys, issuer=issuer, now=now)

        self.monkeypatch.setattr(own_token, "claims", counted)
        self.reader = AccessTokenReader(signer=cast("TokenSigner", self.keys), issuer=made.ISSUER)

    def accepts(self, token: str, now: int = made.NOW) -> bool:
        return self.reader.claims(token, now) is not None


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(monkeypatch)


def token(number: int = 1) -> str:
    said = {
        "iss": made.ISSUER,
        "exp": made.NOW + 10,
        "client_id": "app_web",
        "jti": f"grt_{number}.x",
        "scope": "",
    }
    return jws.sign(encode(said), KEY, typ="at+jwt")


def test_a_token_that_comes_again_is_verified_once(reader: Reader) -> None:
    one = token()
    assert all(reader.accepts(one) for _ in range(5))
    assert reader.verified == [one]


def test_a_kept_token_expires(reader: Reader) -> None:
    one = token()
    assert reader.accepts(one, made.NOW + 9)
    assert not reader.accepts(one, made.NOW + 10)


def test_a_kept_token_ends_with_its_key(reader: Reader) -> None:
    """A key that was revoked, because it was stolen, is missing in the next snapshot (R53)."""
    one = token()
    assert reader.accepts(one)
    reader.keys.set = key_set(made.ISSUER, [OTHER.public()])
    assert not reader.accepts(one)
    # and it does not come back from the half before
    assert not reader.accepts(one)


def test_a_changed_token_is_not_the_kept_one(reader: Reader) -> None:
    one = token()
    assert reader.accepts(one)
    head, body, signature = one.split(".")
    other = "B" if signature[0] == "A" else "A"
    assert not reader.accepts(f"{head}.{body}.{other}{signature[1:]}")
    assert not reader.accepts(one + " ")
    assert not reader.accepts("\udc80")


def test_refused_tokens_are_not_kept_and_the_oldest_give_way(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_tokens, "HALF", 2)
    first, second, *more = (token(number) for number in range(6))
    assert reader.accepts(first)
    assert reader.accepts(second)
    for number in range(50):
        assert not reader.accepts(f"{first}{number}")
    reader.verified.clear()
    assert reader.accepts(first)
    assert not reader.verified
    assert all(reader.accepts(one) for one in more)
    reader.verified.clear()
    assert reader.accepts(first)
    assert reader.verified == [first]
