"""Authorization request: it passes exactly when every check passes, and each error goes to the right place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.request import AuthRequest
from doorward.features.oauth.authorize.rules.request import Origin, authorize, origin
from tests.features import made

NATIVE_URI = "com.example.app:/cb"
GOOD = {
    "client_id": "app_web",
    "response_type": "code",
    "redirect_uri": made.REDIRECT,
    "scope": "openid orders:read",
    "state": "st",
    "nonce": "n",
    "code_challenge": made.challenge(made.VERIFIER),
    "code_challenge_method": "S256",
}


def first(client: Client | None = None, /, **changes: str | None) -> Origin | OAuthError:
    return origin(params(**changes), client or made.client())


def params(**changes: str | None) -> dict[str, str]:
    return {name: value for name, value in {**GOOD, **changes}.items() if value is not None}


def both(client: Client | None = None, /, **changes: str | None) -> AuthRequest | OAuthError:
    """Runs both halves of the check; an error of the first half fails the test."""
    config = made.config(client or made.client())
    source = origin(params(**changes), client or made.client())
    assert isinstance(source, Origin), source
    return authorize(params(**changes), source, config, made.ISSUER)


def test_a_valid_request_is_parsed() -> None:
    request = both(
        max_age="60",
        prompt="login",
        login_hint="ada",
        ui_locales="de",
        display="popup",
        acr_values="a b",
        claims="{}",
    )
    assert isinstance(request, AuthRequest)
    assert request.scopes == ("openid", "orders:read")
    assert request.audience == made.API
    assert (request.state, request.nonce, request.max_age) == ("st", "n", 60)
    assert (request.acr_values, request.acr_essential) == (("a", "b"), False)
    assert (request.display, request.ui_locales, request.login_hint) == ("popup", ("de",), "ada")
    assert request.redirect_uri_given


@pytest.mark.requirement(2)
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"redirect_uri": "https://evil.example/cb"}, "invalid_request"),
        ({"redirect_uri": made.REDIRECT + "/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
    ],
)
def test_an_unknown_redirect_uri_is_never_redirected_to(changes: dict[str, str | None], code: str) -> None:
    refused = first(**changes)
    assert isinstance(refused, OAuthError)
    assert refused.code == code
    assert len(refused.reason + refused.fix) < 2000


@pytest.mark.requirement(2)
def test_an_app_without_sign_in_gets_an_error_page() -> None:
    refused = first(made.client(grant_types=("client_credentials",)))
    assert isinstance(refused, OAuthError)
    assert refused.code == "unauthorized_client"


def test_the_only_registered_redirect_uri_may_be_omitted_without_openid() -> None:
    source = first(redirect_uri=None, scope="orders:read")
    assert source == Origin(made.client(), made.REDIRECT, "query", "st", given=False)
    two = made.client(redirect_uris=(made.REDIRECT, made.REDIRECT + "2"))
    assert isinstance(first(two, redirect_uri=None, scope="orders:read"), OAuthError)
    assert isinstance(
        first(made.client(redirect_uris=()), redirect_uri=None, scope="orders:read"), OAuthError
    )


@pytest.mark.requirement(7)
@pytest.mark.parametrize(
    "kind", ["token", "id_token", "code token", "code id_token", "none", "CODE", "code ", "password"]
)
def test_implicit_and_hybrid_response_types_are_refused(kind: str) -> None:
    refused = both(response_type=kind)
    assert isinstance(refused, OAuthError)
    assert refused.code == "unsupported_response_type"
    assert both(response_type=None).code == "invalid_request"  # type: ignore[union-attr]


@pytest.mark.requirement(14)
@pytest.mark.parametrize("mode", ["fragment", "web_message", "query.jwt", "form_post ", "QUERY"])
def test_other_response_modes_are_refused(mode: str) -> None:
    refused = both(response_mode=mode)
    assert isinstance(refused, OAuthError)
    assert refused.code == "invalid_request"


@pytest.mark.requirement(14)
def test_a_response_mode_not_registered_for_the_app_is_never_used_even_by_default() -> None:
    posting = made.client(response_modes=("form_post",))
    for asked in ({}, {"response_mode": "query"}):
        source = first(posting, **asked)
        assert isinstance(source, Origin)
        assert source.response_mode == "form_post"
        assert isinstance(both(posting, **asked), OAuthError)
    request = both(posting, response_mode="form_post")
    assert isinstance(request, AuthRequest)
    assert request.response_mode == "form_post"
    asking = made.client(response_modes=("query",))
    assert isinstance(both(asking, response_mode="form_post"), OAuthError)
    source = first(asking, response_mode="form_post")
    assert isinstance(source, Origin)
    assert source.response_mode == "query"


@pytest.mark.requirement(14)
@pytest.mark.parametrize("given_uri", [NATIVE_URI, None])
def test_form_post_to_a_private_use_scheme_is_refused(given_uri: str | None) -> None:
    native = made.public(id="app_web", redirect_uris=(NATIVE_URI,))
    asked = {"redirect_uri": given_uri, "scope": "orders:read", "response_mode": "form_post"}
    source = first(native, **asked)
    assert isinstance(source, Origin)
    assert source.response_mode == "query"
    assert isinstance(both(native, **asked), OAuthError)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "urn:x"}, "request_uri_not_supported"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "orders:delete"}, "invalid_scope"),
        ({"resource": "urn:nowhere"}, "invalid_target"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"display": "wall"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
    ],
)
def test_other_errors_are_returned_to_the_app(changes: dict[str, str | None], code: str) -> None:
    refused = both(**changes)
    assert isinstance(refused, OAuthError)
    assert refused.code == code


@pytest.mark.requirement(13, 38)
def test_essential_levels_override_voluntary_ones() -> None:
    essential = '{"id_token":{"acr":{"essential":true,"values":["urn:doorward:aal2"]}}}'
    request = both(claims=essential, acr_values="urn:doorward:aal1")
    assert isinstance(request, AuthRequest)
    assert (request.acr_values, request.acr_essential) == (("urn:doorward:aal2",), True)
    any_level = both(claims='{"id_token":{"acr":{"essential":true}}}', acr_values="x")
    assert isinstance(any_level, AuthRequest)
    assert (any_level.acr_values, any_level.acr_essential) == (("x",), False)
    broken = both(
        claims='{"id_token":{"acr":{"essential":true,"values":"x"}}}', acr_values="urn:doorward:aal1"
    )
    assert isinstance(broken, AuthRequest)
    assert (broken.acr_values, broken.acr_essential) == ((), True)


@pytest.mark.requirement(13)
def test_the_apps_default_max_age_applies_when_none_is_requested() -> None:
    strict = made.client(default_max_age=30)
    assert both(strict).max_age == 30  # type: ignore[union-attr]
    assert both(strict, max_age="0").max_age == 0  # type: ignore[union-attr]


def test_the_json_sign_in_has_no_redirect_uri_and_no_response_mode() -> None:
    client = made.client(response_modes=("form_post",), first_party=True)
    source = Origin(client, "", "query", None, given=False)
    request = authorize(params(redirect_uri=None), source, made.config(client), made.ISSUER)
    assert isinstance(request, AuthRequest)
    assert request.redirect_uri == ""


NAMES = st.sampled_from(
    [*GOOD, "prompt", "max_age", "claims", "resource", "response_mode", "display", "request", "x"]
)
VALUES = st.one_of(
    st.text(max_size=30), st.sampled_from([*GOOD.values(), "none", "form_post", "0", "{}", made.API])
)


@given(st.dictionaries(NAMES, VALUES))
def test_any_request_gets_an_answer_and_an_accepted_one_is_valid(changes: dict[str, Any]) -> None:
    config = made.config()
    asked = {**GOOD, **changes}
    source = origin(asked, made.client())
    if isinstance(source, OAuthError):
        return
    assert source.redirect_uri == made.REDIRECT
    verdict = authorize(asked, source, config, made.ISSUER)
    if isinstance(verdict, AuthRequest):
        assert verdict.code_challenge == GOOD["code_challenge"] or len(verdict.code_challenge or "") == 43
        assert set(verdict.scopes) <= {
            "openid",
            "profile",
            "email",
            "offline_access",
            "orders:read",
            "orders:write",
        }
