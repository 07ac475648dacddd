"""Checks of an assertion: type, audience, times, and by what a used one is remembered (RFC 7523 §3)."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.trusted_issuer import TrustedIssuer
from doorward.features.oauth.grants.jwt_bearer.rules.assertion import (
    TYPES,
    BadAssertion,
    CheckedAssertion,
    check,
    issuer_of,
    types,
)
from tests.features import made
from tests.manual_clock import NOW
from tests.stand_ins.workloads import GitHubActions

GITHUB = GitHubActions(origin="https://github.example")


def trusted(**changes: Any) -> TrustedIssuer:
    values: dict[str, Any] = {
        "id": "tis_one",
        "name": "GitHub",
        "issuer": GITHUB.issuer,
        "grant_id": "tis_one",
        "created_at": NOW,
        "max_lifetime": 900,
    }
    return TrustedIssuer(**(values | changes))


def checked(issuer: TrustedIssuer | None = None, signed: str = "a.b", /, **claims: Any) -> CheckedAssertion:
    one = GITHUB.claims(made.ISSUER, **claims)
    return check(one, signed, issuer or trusted(), issuer=made.ISSUER, now=NOW)


def kind(issuer: TrustedIssuer | None = None, /, **claims: Any) -> str:
    with pytest.raises(BadAssertion) as bad:
        checked(issuer, **claims)
    return bad.value.kind


def test_a_right_assertion_is_taken() -> None:
    found = checked()
    assert found.subject == "repo:octo-org/octo-repo:environment:prod"
    assert found.expires_at == NOW + 300
    assert found.remember_until > found.expires_at


@pytest.mark.requirement(22)
@pytest.mark.parametrize(
    "aud",
    [
        "https://github.com/octo-org",
        f"{made.ISSUER}/",
        f"{made.ISSUER}/token",
        [made.ISSUER, "https://other.example"],
        [made.ISSUER, made.ISSUER],
        [],
        [[made.ISSUER]],
        "",
        None,
        7,
    ],
)
def test_the_audience_is_this_server_alone(aud: Any) -> None:
    """Another server that is in the list too could replay the assertion here."""
    assert kind(aud=aud) == "audience"
    assert checked(aud=[made.ISSUER]).claims["aud"] == [made.ISSUER]


def test_the_audience_of_the_issuers_registration_takes_the_place_of_this_server() -> None:
    other = trusted(audiences=("doorward",))
    assert checked(other, aud="doorward")
    assert kind(other, aud=made.ISSUER) == "audience"


@pytest.mark.requirement(23)
@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_a_clock_that_is_10_s_ahead_is_accepted_and_one_of_61_s_never(name: str) -> None:
    assert checked(**{name: NOW + 10})
    assert kind(**{name: NOW + 11}) == "ahead"
    widest = trusted(tolerance=60)
    assert checked(widest, **{name: NOW + 60})
    assert kind(widest, **{name: NOW + 61}) == "ahead"


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": NOW}, "expired"),
        ({"exp": NOW + 0.5}, "expired"),
        ({"exp": None}, "malformed"),
        ({"exp": "soon"}, "malformed"),
        ({"exp": True}, "malformed"),
        ({"exp": -1}, "malformed"),
        ({"iat": "yesterday"}, "malformed"),
        ({"exp": NOW + 901}, "lifetime"),
        ({"iat": None, "nbf": None, "exp": NOW + 901}, "lifetime"),
        ({"iat": None, "exp": NOW + 901}, "lifetime"),
        ({"sub": None}, "malformed"),
        ({"sub": ""}, "malformed"),
        ({"sub": "x" * 513}, "malformed"),
        ({"sub": ["repo"]}, "malformed"),
        ({"iss": "https://github.example/"}, "untrusted"),
    ],
)
def test_what_is_over_or_without_form_is_refused(claims: dict[str, Any], expected: str) -> None:
    assert kind(**claims) == expected


def test_a_used_assertion_is_known_by_its_jti_or_by_what_was_signed() -> None:
    one = checked(jti="a")
    assert one.used_as == checked(None, "other", jti="a").used_as
    assert one.used_as != checked(jti="b").used_as
    # not by the signature, of which ECDSA has a second valid one for the same text
    without = checked(None, "head.body", jti=None)
    assert without.used_as == checked(None, "head.body", jti=None).used_as
    assert without.used_as != checked(None, "head.other", jti=None).used_as
    assert len({one.used_as, without.used_as, checked(jti="jws:head.body").used_as}) == 3


def test_an_id_jag_is_nothing_else_and_nothing_else_is_one() -> None:
    for typ in (None, "", "JWT", "at+jwt", "logout+jwt"):
        assert types(typ, trusted()) == TYPES
    assert not TYPES & {"at+jwt", "logout+jwt", "secevent+jwt", "oauth-id-jag+jwt", "dpop+jwt"}
    assert types("application/oauth-id-jag+JWT", trusted(id_jag=True)) == {"oauth-id-jag+jwt"}
    with pytest.raises(BadAssertion, match="may not speak for people"):
        types("oauth-id-jag+jwt", trusted())


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.b.c.d", "é.b.c", "e30.W10.x", "x" * 20_000])
def test_what_is_no_jwt_names_no_issuer(token: str) -> None:
    assert issuer_of(token) is None


def test_the_issuer_is_read_before_the_signature_is_checked() -> None:
    assert issuer_of(GITHUB.token(made.ISSUER)) == GITHUB.issuer
    assert issuer_of(GITHUB.token(made.ISSUER, iss="x" * 2001)) is None
