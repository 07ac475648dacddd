"""Is a token of ours recognised, and everything that only looks like one not?"""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode

from doorward.rules.check import own_token
from doorward_verify import jwk, jws
from doorward_verify.keyset import key_set
from tests.rules import made
from tests.verify.tokens import raw

KEY = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k")
KEYS = key_set(made.ISSUER, [KEY.public()])


def claims(token: str, now: int = made.NOW) -> dict[str, Any] | None:
    return own_token.claims(token, KEYS, issuer=made.ISSUER, now=now)


def token(typ: str = "at+jwt", **changes: Any) -> str:
    return jws.sign(encode({"iss": made.ISSUER, "exp": made.NOW + 10, **changes}), KEY, typ=typ)


@pytest.mark.requirement(39, 47)
def test_only_an_access_token_of_this_issuer_that_has_not_run_out_counts() -> None:
    assert claims(token()) is not None
    assert claims(token(), made.NOW + 10) is None
    assert claims(token("JWT")) is None
    assert claims(token("logout+jwt")) is None
    assert claims(token(iss="https://other.example.com")) is None
    for exp in (None, "9999999999", made.NOW):
        assert claims(token(exp=exp)) is None


def test_a_foreign_key_of_the_same_name_does_not_count() -> None:
    other = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k")
    assert claims(jws.sign(encode({"iss": made.ISSUER, "exp": made.NOW + 10}), other, typ="at+jwt")) is None


@pytest.mark.requirement(43)
def test_a_key_or_an_address_that_the_token_brings_along_is_not_even_read() -> None:
    other = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k")
    header = {"alg": "ES256", "kid": "k", "typ": "at+jwt"}
    payload = {"iss": made.ISSUER, "exp": made.NOW + 10}
    brought: list[dict[str, Any]] = [
        {"jwk": other.public_jwk()},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/certificate"},
        {"x5c": ["Y2VydGlmaWNhdGU="]},
    ]
    for members in brought:
        assert claims(raw({**header, **members}, payload, other)) is None
        # beside a good signature they change nothing
        assert claims(raw({**header, **members}, payload, KEY)) is not None


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    assert claims(text) is None
