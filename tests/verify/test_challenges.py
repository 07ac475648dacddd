"""Challenges to clients and the token of a request: RFC 6750, 9728, 9470; cookies with CSRF."""

import hashlib
from typing import Any

import pytest

from doorward_verify.auth_error import AuthError
from doorward_verify.challenges import challenge, metadata_location, metadata_path, protected_resource
from doorward_verify.cookie import RequestCredentials, cookie_names, csrf_token, issuer_mark, presented
from doorward_verify.demands import check, demand
from doorward_verify.principal import Principal
from tests.verify.tokens import NOW

META = "https://api.example.com/.well-known/oauth-protected-resource"
OWN = "https://api.example.com"


def www(refused: AuthError) -> tuple[int, str]:
    answer = challenge(refused, META)
    return answer.status, answer.headers.get("WWW-Authenticate", "")


def test_without_a_token_the_challenge_has_the_metadata_url_and_no_error() -> None:
    assert www(AuthError("no_token")) == (401, f'Bearer resource_metadata="{META}"')
    assert challenge(AuthError("no_token"), None).headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "reason", ["malformed", "signature", "expired", "revoked", "audience", "type", "unknown_key"]
)
def test_a_bad_token_is_an_invalid_token(reason: Any) -> None:
    status, said = www(AuthError(reason, "the inner cause"))
    assert status == 401
    assert said.startswith('Bearer error="invalid_token", error_description="')
    assert f'resource_metadata="{META}"' in said
    assert "inner cause" not in said


def test_a_missing_scope_names_the_scopes_that_are_needed() -> None:
    status, said = www(AuthError("scope", scopes=("orders:read", "orders:write")))
    assert status == 403
    assert 'error="insufficient_scope"' in said
    assert 'scope="orders:read orders:write"' in said


def test_a_step_up_challenge_names_acr_and_max_age() -> None:
    status, said = www(AuthError("step_up", acr_values=("aal2", "phr"), max_age=300))
    assert status == 401
    assert 'error="insufficient_user_authentication"' in said
    assert 'acr_values="aal2 phr"' in said
    assert 'max_age="300"' in said


@pytest.mark.parametrize("reason", ["keys_unavailable", "revocation_unavailable"])
def test_a_fault_of_the_server_side_is_503_without_a_challenge(reason: Any) -> None:
    answer = challenge(AuthError(reason), META)
    assert answer.status == 503
    assert "WWW-Authenticate" not in answer.headers
    assert int(answer.headers["Retry-After"]) > 0


def test_values_cannot_break_out_of_the_header() -> None:
    evil = 'x", error="none\r\nSet-Cookie: a=b\\'
    _, said = www(AuthError("scope", scopes=(evil,), acr_values=(evil,)))
    assert said.count('"') == 2 * said.count('="')
    assert "\r" not in said
    assert "\n" not in said


def test_the_metadata_of_the_resource() -> None:
    assert metadata_path("https://api.example.com") == "/.well-known/oauth-protected-resource"
    assert metadata_path("https://api.example.com/v1/") == "/.well-known/oauth-protected-resource/v1"
    assert metadata_location("https://api.example.com/v1") == f"{META}/v1"
    assert metadata_location("orders-api") is None
    document = protected_resource("https://api.example.com/v1", "https://auth.example.com", ("orders:read",))
    assert document["resource"] == "https://api.example.com/v1"
    assert document["authorization_servers"] == ["https://auth.example.com"]
    assert document["scopes_supported"] == ["orders:read"]


# -- demands

WHO = Principal(
    "usr_1", "app_1", frozenset({"a", "b"}), frozenset({"clerk"}), frozenset({"p"}), "aal1", (), NOW - 100
)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, None),
        ({"scopes": ["a", "b"]}, None),
        ({"scopes": ["a", "c"]}, "scope"),
        ({"scopes": ["A"]}, "scope"),
        ({"roles": ["clerk"]}, None),
        ({"roles": ["clerk", "admin"]}, "roles"),
        ({"permissions": ["p"]}, None),
        ({"permissions": ["q"]}, "roles"),
        ({"acr": ["aal1", "aal2"]}, None),
        ({"acr": ["aal2"]}, "step_up"),
        ({"max_age": 100}, None),
        ({"max_age": 99}, "step_up"),
        ({"max_age": 0}, "step_up"),
    ],
)
def test_each_requirement_must_be_met(asked: dict[str, Any], expected: str | None) -> None:
    assert getattr(check(WHO, demand(**asked), NOW), "reason", None) == expected


ORDER = ("urn:doorward:aal1", "urn:doorward:aal2", "phr", "phrh", "urn:doorward:aal3")


@pytest.mark.requirement(38)
@pytest.mark.parametrize("wanted", [*ORDER, "aal2", "urn:somebody:else"])
@pytest.mark.parametrize("have", [*ORDER, "aal2", "urn:somebody:else", None])
def test_a_level_of_the_server_includes_those_below_it_and_no_other_text_does(
    have: str | None, wanted: str
) -> None:
    who = Principal("usr_1", "app_1", acr=have)
    above = have in ORDER and wanted in ORDER and ORDER.index(have) >= ORDER.index(wanted)
    enough = above or have == wanted
    assert (check(who, demand(acr=[wanted]), NOW) is None) == enough
    assert (check(who, demand(acr=["of:nobody", wanted]), NOW) is None) == enough


@pytest.mark.requirement(38)
@pytest.mark.parametrize("level", ORDER)
def test_a_refusal_by_level_and_age_becomes_a_challenge_that_an_app_can_follow(level: str) -> None:
    refused = check(Principal("usr_1", "app_1", auth_time=NOW - 400), demand(acr=[level], max_age=300), NOW)
    assert refused is not None
    status, said = www(refused)
    assert status == 401
    assert 'error="insufficient_user_authentication"' in said
    assert f'acr_values="{level}"' in said
    assert 'max_age="300"' in said


def test_a_token_without_sign_in_claims_is_never_recent_or_strong() -> None:
    bare = Principal("app_1", "app_1")
    assert getattr(check(bare, demand(max_age=10**9), NOW), "reason", None) == "step_up"
    assert getattr(check(bare, demand(acr=["aal1"]), NOW), "reason", None) == "step_up"


def test_one_string_instead_of_a_list_raises_at_once() -> None:
    with pytest.raises(TypeError, match=r'scopes=\["orders:read"\]'):
        demand(scopes="orders:read")
    with pytest.raises(ValueError, match="seconds"):
        demand(max_age=-1)


# -- which token


def token_of(
    names: tuple[str, ...] = ("__Host-dw_at",), origins: frozenset[str] = frozenset(), **asked: Any
) -> str:
    try:
        return presented(
            RequestCredentials(**{"method": "GET", "own_origin": OWN, **asked}), names=names, origins=origins
        )
    except AuthError as refused:
        return f"refused: {refused.reason}"


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ((), "refused: no_token"),
        (("Bearer abc",), "abc"),
        (("bearer   abc  ",), "abc"),
        (("Basic abc",), "refused: no_token"),
        (("DPoP abc",), "refused: no_token"),
        (("Bearer",), "refused: bad_request"),
        (("Bearer ",), "refused: bad_request"),
        (("Bearer a b",), "refused: bad_request"),
        (("Bearer a, Bearer b",), "refused: bad_request"),
        (("Bearer a", "Bearer b"), "refused: bad_request"),
        (("Bearerabc",), "refused: no_token"),
    ],
)
def test_the_authorization_header(authorization: tuple[str, ...], expected: str) -> None:
    assert token_of(authorization=authorization) == expected


COOKIE = ("theme=dark; __Host-dw_at=abc; x=y",)
CSRF = csrf_token("abc")


def test_the_cookie_is_read_only_if_enabled_and_the_header_takes_precedence() -> None:
    assert token_of(cookies=COOKIE) == "abc"
    assert token_of(names=(), cookies=COOKIE) == "refused: no_token"
    assert token_of(cookies=COOKIE, authorization=("Bearer def",)) == "def"
    assert token_of(cookies=("__Host-dw_at=",)) == "refused: no_token"
    assert token_of(cookies=("dw_at=abc; __host-dw_at=abc",)) == "refused: no_token"


def test_a_duplicate_cookie_is_refused() -> None:
    assert token_of(cookies=("__Host-dw_at=a; __Host-dw_at=b",)) == "refused: bad_request"
    assert token_of(cookies=("__Host-dw_at=a", "__Host-dw_at=a")) == "refused: bad_request"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "WEBSOCKET", "post", "get", "TRACE"])
def test_a_request_that_changes_something_needs_the_csrf_token(method: str) -> None:
    assert token_of(method=method, cookies=COOKIE) == "refused: csrf"
    assert token_of(method=method, cookies=COOKIE, csrf_token=CSRF[:-1]) == "refused: csrf"
    assert token_of(method=method, cookies=COOKIE, csrf_token=csrf_token("other")) == "refused: csrf"
    assert token_of(method=method, cookies=COOKIE, csrf_token="é") == "refused: csrf"
    assert token_of(method=method, cookies=COOKIE, csrf_token=CSRF) == "abc"
    assert token_of(method=method, authorization=("Bearer abc",)) == "abc"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, "abc"),
        (OWN, "abc"),
        (OWN + ":443", "abc"),
        ("https://app.example.com", "abc"),
        ("https://evil.example", "refused: csrf"),
        ("http://api.example.com", "refused: csrf"),
        ("https://api.example.com:8443", "refused: csrf"),
        ("https://api.example.com.evil.example", "refused: csrf"),
        ("null", "refused: csrf"),
        ("", "refused: csrf"),
    ],
)
def test_another_origin_must_be_listed(origin: str | None, expected: str) -> None:
    listed = frozenset({"https://app.example.com"})
    assert token_of(method="POST", cookies=COOKIE, csrf_token=CSRF, origin=origin, origins=listed) == expected


def test_the_csrf_token_has_the_pinned_value() -> None:
    import base64

    digest = hashlib.sha256(b"doorward-csrf:abc").digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == CSRF


def test_cookie_names_depend_on_the_issuer() -> None:
    mark = hashlib.sha256(b"https://auth.example.com").hexdigest()[:8]
    assert cookie_names("https://auth.example.com") == (f"__Host-dw_{mark}_at", "__Host-dw_at")
    for issuer in ("http://127.0.0.1:8000", "http://localhost:8000"):
        assert cookie_names(issuer) == (f"dw_{issuer_mark(issuer)}_at", "dw_at")


def test_two_issuers_on_one_host_have_different_cookies() -> None:
    names = {
        name
        for issuer in ("https://a.example", "https://a.example/two", "https://a.example:8443")
        for name in cookie_names(issuer)[:1]
    }
    assert len(names) == 3


def test_the_cookie_of_the_previous_release_is_read_if_the_new_one_is_absent() -> None:
    names = cookie_names("https://auth.example.com")
    new, old = (f"{name}={value}" for name, value in zip(names, ("abc", "def"), strict=True))
    assert token_of(names=names, cookies=(old,)) == "def"
    assert token_of(names=names, cookies=(f"{old}; {new}",)) == "abc"
    assert token_of(names=names, cookies=(f"{old}; {new}; {new}",)) == "refused: bad_request"
    assert token_of(names=names, cookies=(f"{old}; {old}",)) == "refused: bad_request"
    other = cookie_names("https://auth.example.com:8443")[0]
    assert token_of(names=names, cookies=(f"{other}=abc",)) == "refused: no_token"


def test_a_csrf_refusal_is_403_without_a_challenge() -> None:
    answer = challenge(AuthError("csrf"), META)
    assert (answer.status, "WWW-Authenticate" in answer.headers) == (403, False)
