"""May an app, an API or a role be registered like this?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from doorward.core.model.client import Client, Pkce
from doorward.features.oauth.clients.rules import registration as rule
from tests.features.oauth.clients.weak_keys import ROCA, rsa_jwk

WEB = Client(
    id="app_1",
    name="web",
    auth_method="client_secret_basic",
    created_at=0,
    redirect_uris=("https://app.example.com/callback",),
)
KEYS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}


@pytest.mark.requirement(3)
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/callback#fragment",
        "https://app.example.com/callback#",
        "https://ada@app.example.com/callback",
        "https://ada:secret@app.example.com/callback",
        "https://app.example.com@evil.example/callback",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example.com/x",
    ],
)
def test_fragments_user_names_and_scripts_are_never_redirect_uris(uri: str) -> None:
    assert rule.redirect_uri_problem(uri, native=False)
    assert rule.redirect_uri_problem(uri, native=True)
    assert rule.client_problem(structs.replace(WEB, redirect_uris=(uri,)), native=True)


@pytest.mark.requirement(1, 3)
@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("", "not absolute"),
        ("/callback", "not absolute"),
        ("app.example.com/callback", "not absolute"),
        ("//app.example.com/callback", "not absolute"),
        ("http://app.example.com/callback", "only for this machine"),
        ("http://127.0.0.2/callback", "only for this machine"),
        ("http://localhost.evil.example/callback", "only for this machine"),
        ("https://*.example.com/callback", "wildcards"),
        ("https://app.example.com/a/../b", ". or .."),
        ("https://app.example.com/a/%2e%2e/b", ". or .."),
        ("https://app.example.com\\@evil.example", "character"),
        ("https://app.example.com/a b", "character"),
        ("https://app.example.com;script-src/", "host holds"),
        ("https://app.example.com,evil/", "host holds"),
        ("https://app'.example.com/", "host holds"),
        ("https://bücher.example/", "character"),
        ("https://App.example.com/", "lower case"),
        ("HTTPS://app.example.com/", "lower case"),
        ("https:///callback", "no host"),
        ("https:callback", "no host"),
        ("https://app.example.com:x/", "cannot be read"),
        ("https://app.example.com/" + "x" * 2000, "longer"),
        ("ftp://app.example.com/", "scheme"),
        ("myapp:/callback", "scheme"),
        ("com.example.app:/callback", "only native apps"),
    ],
)
def test_a_redirect_uri_is_absolute_exact_and_https(uri: str, said: str) -> None:
    problem = rule.redirect_uri_problem(uri, native=False)
    assert problem is not None
    assert said in problem


@pytest.mark.requirement(1, 3)
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/callback",
        "https://app.example.com:8443/callback?tenant=a",
        "https://app.example.com",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:5000/callback",
        "http://[::1]:5000/callback",
        "http://localhost:5000/callback",
        "https://[2001:db8::1]/callback",
    ],
)
def test_these_redirect_uris_are_fine(uri: str) -> None:
    assert rule.redirect_uri_problem(uri, native=False) is None


@pytest.mark.requirement(3)
def test_a_private_use_scheme_has_a_dot_and_belongs_to_native_apps() -> None:
    assert rule.redirect_uri_problem("com.example.app:/callback", native=True) is None
    assert rule.redirect_uri_problem("com.example.app://callback", native=True)
    assert rule.redirect_uri_problem("com.example.app:callback", native=True)
    assert rule.redirect_uri_problem("exampleapp:/callback", native=True)


@pytest.mark.requirement(3)
@given(st.text(max_size=60))
def test_nothing_that_passes_can_run_or_mislead(uri: str) -> None:
    if rule.redirect_uri_problem(uri, native=True) is None:
        scheme = uri.partition(":")[0]
        assert scheme in {"https", "http"} or "." in scheme
        assert "#" not in uri
        assert uri.isascii()
        if scheme in {"https", "http"}:
            assert "@" not in uri.removeprefix(f"{scheme}://").partition("/")[0]


@pytest.mark.requirement(14)
def test_an_app_may_hear_answers_by_form_alone_where_a_form_can_be_posted() -> None:
    posting = structs.replace(WEB, response_modes=("form_post",))
    assert rule.client_problem(posting, native=False) is None
    phone = structs.replace(
        posting, auth_method="none", redirect_uris=("https://app.example.com/cb", "com.example.app:/cb")
    )
    assert "com.example.app:/cb" in (rule.client_problem(phone, native=True) or "")
    both = structs.replace(phone, response_modes=("query", "form_post"))
    assert rule.client_problem(both, native=True) is None
    assert "--response-mode" in (
        rule.client_problem(structs.replace(WEB, response_modes=()), native=False) or ""
    )


@pytest.mark.requirement(101)
@pytest.mark.parametrize("pkce", ["or_nonce", "optional"])
def test_only_a_confidential_app_may_do_without_pkce(pkce: Pkce) -> None:
    without = structs.replace(WEB, pkce=pkce)
    assert rule.client_problem(without, native=False) is None
    problem = rule.client_problem(structs.replace(without, auth_method="none"), native=False)
    assert problem is not None
    assert "PKCE" in problem


@pytest.mark.requirement(49)
def test_weak_keys_are_not_registered() -> None:
    signed = structs.replace(WEB, auth_method="private_key_jwt", jwks=KEYS)
    assert rule.client_problem(signed, native=False) is None
    for weak, said in ((rsa_jwk(ROCA), "ROCA"), (rsa_jwk(ROCA, 3), "exponent"), ({"kty": "EC"}, "Key 2")):
        rotated = structs.replace(signed, jwks={"keys": [*KEYS["keys"], weak]})
        assert said in (rule.client_problem(rotated, native=False) or "")


@pytest.mark.requirement(19)
def test_only_private_key_jwt_may_keep_its_refresh_token() -> None:
    fixed = structs.replace(WEB, rotation=False)
    problem = rule.client_problem(fixed, native=False)
    assert problem is not None
    assert "private_key_jwt" in problem
    signed = structs.replace(fixed, auth_method="private_key_jwt", jwks=KEYS)
    assert rule.client_problem(signed, native=False) is None
    assert rule.client_problem(structs.replace(fixed, auth_method="none"), native=False)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"redirect_uris": ()}, "--redirect"),
        ({"grant_types": ("client_credentials",)}, "signs nobody in"),
        ({"auth_method": "none", "grant_types": ("client_credentials",), "redirect_uris": ()}, "public app"),
        ({"auth_method": "private_key_jwt"}, "--jwks"),
        ({"jwks": KEYS}, "only for --auth-method"),
        ({"origins": ("https://app.example.com",)}, "first-party"),
        ({"origins": ("https://app.example.com/x",), "first_party": True}, "no path"),
        ({"post_logout_redirect_uris": ("http://app.example.com",)}, "only for this machine"),
        ({"backchannel_logout_uri": "com.example.app:/x"}, "https"),
        ({"backchannel_logout_uri": "https://u@app.example.com/"}, "user name"),
    ],
)
def test_a_registration_makes_sense_as_a_whole(change: dict[str, Any], said: str) -> None:
    problem = rule.client_problem(structs.replace(WEB, **change), native=False)
    assert problem is not None
    assert said in problem


def test_a_first_party_app_needs_no_redirect() -> None:
    assert rule.client_problem(structs.replace(WEB, redirect_uris=(), first_party=True), native=False) is None


@pytest.mark.parametrize(
    ("identifier", "fine"),
    [
        ("https://api.example.com", True),
        ("urn:example:orders", True),
        ("orders", False),
        ("https://api.example.com#x", False),
        ("https://api example.com", False),
        (":x", False),
        ("", False),
    ],
)
def test_an_api_identifier_is_an_absolute_uri_without_fragment(identifier: str, fine: bool) -> None:
    assert (rule.identifier_problem(identifier) is None) is fine


@pytest.mark.parametrize("name", ["", "a b", 'a"b', "a\\b", "ä", "openid", "offline_access", "x" * 101])
def test_these_are_no_permissions(name: str) -> None:
    assert rule.permission_problem(name)


def test_this_is_a_permission() -> None:
    assert rule.permission_problem("orders:read") is None


@pytest.mark.parametrize("name", ["", " ", " a", "a\n", "app_x", "x" * 101])
def test_these_are_no_names(name: str) -> None:
    assert rule.name_problem(name, prefix="app")


@pytest.mark.parametrize("name", ["", " a", "a ", "a\x00b", "rol_x", "x" * 65, "a\u202eb"])
def test_these_are_no_roles(name: str) -> None:
    assert rule.role_problem(name)


@pytest.mark.parametrize("name", ["customer", "Order clerk", "x", "Größe"])
def test_these_are_roles(name: str) -> None:
    assert rule.role_problem(name) is None
