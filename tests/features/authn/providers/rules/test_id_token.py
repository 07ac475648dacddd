"""Claims of an ID token: those of this sign-in only (OpenID Connect Core §3.1.3.7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.features.authn.providers.rules import id_token
from doorward.features.authn.providers.rules.id_token import BadIdToken, UpstreamClaims
from doorward.features.authn.providers.services.openid import OPENID
from doorward.features.authn.providers.settings import ProviderPolicy

NOW = 1_800_000_000
POLICY = ProviderPolicy(issuer="https://a.example", client_id="me")
GOOD: dict[str, Any] = {
    "iss": "https://a.example",
    "aud": "me",
    "exp": NOW + 300,
    "iat": NOW,
    "nonce": "n",
    "sub": "s",
}


def checked(asked: str | None = "n", /, **changes: Any) -> UpstreamClaims:
    members = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return id_token.checked_claims(members, service=OPENID, policy=POLICY, nonce=asked, now=NOW)


def with_userinfo(token: UpstreamClaims, userinfo: dict[str, Any]) -> UpstreamClaims:
    return id_token.with_userinfo(token, userinfo, service=OPENID, policy=POLICY)


def test_what_it_says_is_read() -> None:
    found = checked(
        auth_time=NOW - 5,
        acr="high",
        amr=["pwd", "otp", 5],
        email="a@b.example",
        email_verified=True,
        name="Ada",
        azp="me",
        aud=["me", "other"],
    )
    assert found == UpstreamClaims(
        issuer="https://a.example",
        subject="s",
        sub="s",
        auth_time=NOW - 5,
        acr="high",
        amr=("pwd", "otp"),
        email="a@b.example",
        email_verified=True,
        name="Ada",
    )


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"iss": "https://a.example/"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "you"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": ["me", "you"]}, "azp"),
        ({"azp": "you"}, "azp"),
        ({"azp": 1}, "azp"),
        ({"exp": NOW - id_token.SKEW}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": True}, "exp"),
        ({"iat": NOW + id_token.SKEW + 1}, "iat"),
        ({"iat": NOW - id_token.OLDEST - 1}, "iat"),
        ({"iat": None}, "iat"),
        ({"iat": -1}, "iat"),
        ({"iat": 2**60}, "iat"),
        ({"nbf": NOW + id_token.SKEW + 1}, "nbf"),
        ({"nonce": "m"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ["n"]}, "nonce"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "é"}, "sub"),
        ({"sub": "s" * 256}, "sub"),
        ({"auth_time": "now"}, "auth_time"),
    ],
)
@pytest.mark.requirement(47, 91)
def test_a_token_of_another_sign_in_is_refused(changes: dict[str, Any], claim: str) -> None:
    with pytest.raises(BadIdToken, match=claim):
        checked(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - id_token.SKEW + 1},
        {"iat": NOW + id_token.SKEW},
        {"iat": NOW - id_token.OLDEST},
        {"nbf": NOW + id_token.SKEW},
        {"exp": NOW + 0.5},
        {"aud": ["me"]},
        {"sub": "s" * 255},
    ],
)
def test_clocks_may_differ_a_little(changes: dict[str, Any]) -> None:
    assert checked(**changes).issuer == "https://a.example"


def test_without_a_nonce_in_the_request_none_is_needed() -> None:
    assert checked(None, nonce=None).subject == "s"


@pytest.mark.parametrize(
    ("said", "verified"),
    [
        (True, True),
        ("true", True),
        (False, False),
        ("false", False),
        (1, False),
        (None, False),
        ("True", False),
    ],
)
def test_a_confirmation_is_a_boolean_or_its_word(said: object, verified: bool) -> None:
    assert checked(email="a@b.example", email_verified=said).email_verified is verified


def test_userinfo_adds_what_the_token_has_not_and_only_for_the_same_person() -> None:
    userinfo = {"sub": "s", "email": "u@b.example", "email_verified": True, "name": "U"}
    found = with_userinfo(checked(), userinfo)
    assert (found.email, found.email_verified, found.name) == ("u@b.example", True, "U")
    for other in ({**userinfo, "sub": "t"}, {"email": "u@b.example"}):
        with pytest.raises(BadIdToken):
            with_userinfo(checked(), other)


def test_an_address_of_the_token_is_never_confirmed_by_userinfo() -> None:
    token = checked(email="a@b.example", email_verified=False, name="T")
    found = with_userinfo(token, {"sub": "s", "email": "u@b.example", "email_verified": True, "name": "U"})
    assert (found.email, found.email_verified, found.name) == ("a@b.example", False, "T")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "azp", "amr", "acr", "email", "auth_time", "nbf"]), _ANY))
def test_whatever_a_claim_is_nothing_else_is_raised(changes: dict[str, Any]) -> None:
    try:
        found = checked(**changes)
    except BadIdToken:
        return
    assert found.issuer == "https://a.example"
    assert found.subject
