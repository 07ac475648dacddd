"""Claims of an access token: which are required, for which audience and when. RFC 9068 §2.2 and §4, RFC 7519 §4.1."""

from typing import Any

import pytest

from doorward_verify.auth_error import AuthError
from doorward_verify.claims import AccessRules, Verified
from doorward_verify.jwk import SigningKey
from doorward_verify.keyset import key_set
from tests.verify.tokens import (
    ALL,
    AUDIENCE,
    EVERY_KEY,
    ISSUER,
    NOW,
    P256,
    claims,
    good,
    header,
    raw,
    reason,
    verifier,
)

by_algorithm = pytest.mark.parametrize("key", EVERY_KEY, ids=lambda key: key.alg)


@by_algorithm
def test_a_good_token_gives_its_principal(key: SigningKey) -> None:
    verdict = verifier().verify(good(key, custom={"deep": [1]}), NOW)
    assert isinstance(verdict, Verified)
    principal = verdict.principal
    assert (principal.sub, principal.client_id, principal.sid) == ("usr_1", "app_1", "ses_1")
    assert principal.scopes == {"orders:read", "orders:write"}
    assert principal.roles == {"clerk"}
    assert principal.permissions == {"orders:read"}
    assert (principal.acr, principal.amr, principal.auth_time) == ("aal1", ("pwd",), NOW - 60)
    assert (principal.jti, principal.grant) == ("grt_1.abc", "grt_1")
    assert (principal.issued_at, principal.expires_at) == (NOW - 10, NOW + 290)
    assert principal.claims["custom"] == {"deep": [1]}
    principal.claims["custom"]["deep"].append(2)
    assert principal.claims["custom"] == {"deep": [1]}
    with pytest.raises(AttributeError):
        principal.sub = "usr_2"  # type: ignore[misc]


@by_algorithm
def test_the_actors_of_a_token_are_read(key: SigningKey) -> None:
    """RFC 8693 §4.1: the outermost is the present one. Members that have no meaning here stay in the claims."""
    nested = {"sub": "app_2", "act": {"sub": "usr_9", "iss": ISSUER}}
    verdict = verifier().verify(good(key, act=nested, may_act={"sub": "app_3"}), NOW)
    assert isinstance(verdict, Verified)
    actor = verdict.principal.actor
    assert actor is not None
    assert (verdict.principal.sub, actor.sub, actor.chain) == ("usr_1", "app_2", ("app_2", "usr_9"))
    assert verdict.principal.claims["act"] == nested
    plain = verifier().verify(good(key), NOW)
    assert isinstance(plain, Verified)
    assert plain.principal.actor is None


@pytest.mark.parametrize("act", ["app_2", {}, {"sub": ""}, {"sub": 5}, {"sub": "a", "act": "b"}, []])
def test_an_actor_that_cannot_be_read_is_refused(act: object) -> None:
    assert reason(good(act=act)) == "claims"


@pytest.mark.requirement(39)
def test_an_id_token_is_no_access_token_even_with_our_audience() -> None:
    assert reason(raw(header(typ="JWT"), claims(nonce="n", at_hash="h"))) == "type"


@pytest.mark.requirement(40)
def test_the_pure_rules_have_no_defaults() -> None:
    for missing in range(4):
        given: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "algorithms": ALL, "leeway": 0}
        del given[list(given)[missing]]
        with pytest.raises(TypeError):
            AccessRules(**given)


@pytest.mark.requirement(45)
def test_keys_of_one_issuer_cannot_verify_for_another() -> None:
    with pytest.raises(ValueError, match="belong to their issuer"):
        verifier(key_set("https://other.example", [P256.public()]))
    assert reason(good(iss="https://other.example")) == "issuer"
    for almost in (ISSUER + "/", ISSUER.upper(), "http://auth.example.com", [ISSUER], 5, ISSUER + "\0"):
        assert reason(good(iss=almost)) in ("issuer", "claims")


@pytest.mark.requirement(40)
@pytest.mark.parametrize(
    ("aud", "expected"),
    [
        (AUDIENCE, "good"),
        ([AUDIENCE], "good"),
        (["https://other.example", AUDIENCE], "good"),
        ("https://other.example", "audience"),
        ([], "audience"),
        (["https://other.example"], "audience"),
        (AUDIENCE + "/", "audience"),
        (AUDIENCE.upper(), "audience"),
        ("", "claims"),
        (None, "claims"),
        (5, "claims"),
        ([AUDIENCE, 5], "claims"),
        ({AUDIENCE: 1}, "claims"),
    ],
)
def test_another_audience_is_refused(aud: Any, expected: str) -> None:
    assert reason(good(aud=aud)) == expected


@pytest.mark.requirement(47)
@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"exp": None}, "claims"),
        ({"exp": str(NOW + 100)}, "claims"),
        ({"exp": True}, "claims"),
        ({"exp": -1}, "claims"),
        ({"exp": 2**60}, "claims"),
        ({"exp": [NOW + 100]}, "claims"),
        ({"exp": NOW}, "expired"),
        ({"exp": NOW + 1}, "good"),
        ({"exp": NOW + 0.5}, "expired"),
        ({"exp": NOW + 1.5}, "good"),
        ({"nbf": NOW}, "good"),
        ({"nbf": NOW + 1}, "not_yet_valid"),
        ({"nbf": NOW + 0.5}, "not_yet_valid"),
        ({"nbf": "0"}, "claims"),
        ({"iat": NOW}, "good"),
        ({"iat": NOW + 1}, "not_yet_valid"),
        ({"iat": None}, "claims"),
    ],
)
def test_exp_is_required_and_times_are_exact_without_leeway(members: dict[str, Any], expected: str) -> None:
    token = raw(header(), {**claims(), **members})
    if None in members.values():
        token = good(**members)
    assert reason(token) == expected


@pytest.mark.requirement(47)
def test_leeway_extends_times_by_exactly_its_seconds() -> None:
    judge = verifier(leeway=10)
    assert reason(good(exp=NOW - 9), with_=judge) == "good"
    assert reason(good(exp=NOW - 10), with_=judge) == "expired"
    assert reason(good(nbf=NOW + 10), with_=judge) == "good"
    assert reason(good(nbf=NOW + 11), with_=judge) == "not_yet_valid"
    assert reason(good(iat=NOW + 11), with_=judge) == "not_yet_valid"


@pytest.mark.parametrize("missing", ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"])
def test_claims_required_by_rfc_9068_are_required(missing: str) -> None:
    assert reason(raw(header(), claims(**{missing: None}))) == "claims"


@pytest.mark.parametrize(
    "members",
    [
        {"sub": ""},
        {"sub": 5},
        {"scope": ["orders:read"]},
        {"roles": "clerk"},
        {"roles": [1]},
        {"permissions": {"a": 1}},
        {"amr": "pwd"},
        {"acr": 1},
        {"auth_time": "yesterday"},
        {"sid": []},
        {"jti": 7},
    ],
)
def test_claims_of_a_wrong_type_are_refused_on_both_parsing_paths(members: dict[str, Any]) -> None:
    assert reason(good(**members)) == "claims"
    assert reason(raw(header(), {**claims(**members), "unknown": 1})) == "claims"


def test_a_key_bound_token_is_refused_as_a_bearer_token() -> None:
    for cnf in ({"jkt": "thumbprint"}, {"x5t#S256": "hash"}, {}, None, "x"):
        assert reason(raw(header(), {**claims(), "cnf": cnf})) == "sender_constrained"


def test_the_reason_never_contains_any_part_of_the_token() -> None:
    secret = "s3cr3t-value"
    for token in (
        good(sub=[secret]),
        good(aud=secret),
        raw(header(kid=secret), claims()),
        raw(header(typ=secret), claims()),
        raw(header(alg=secret), claims()),
        good(exp=secret),
        secret,
    ):
        verdict = verifier().verify(token, NOW)
        assert isinstance(verdict, AuthError)
        assert secret not in repr(verdict) + str(verdict) + verdict.description + verdict.detail
