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


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    assert claims(text) is None
