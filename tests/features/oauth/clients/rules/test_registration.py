"""Registration checks for apps, APIs and roles."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from doorward.core.model.client import Client, Pkce
from doorward.core.model.policy import LONGEST
from doorward.core.model.problem import problem
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
def test_uris_with_fragment_user_name_or_script_scheme_are_refused(uri: str) -> None:
    assert rule.redirect_uri_problem(uri, native=False)
    assert rule.redirect_uri_problem(uri, native=True)
    assert rule.client_problem(structs.replace(WEB, redirect_uris=(uri,)), native=True)


@pytest.mark.requirement(1, 3)
@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("", "uri_empty"),
        ("/callback", "uri_relative"),
        ("app.example.com/callback", "uri_relative"),
        ("//app.example.com/callback", "uri_relative"),
        ("http://app.example.com/callback", "uri_not_https"),
        ("http://127.0.0.2/callback", "uri_not_https"),
        ("http://localhost.evil.example/callback", "uri_not_https"),
        ("https://*.example.com/callback", "uri_host_wildcard"),
        ("https://app.example.com/a/../b", "uri_dot_segment"),
        ("https://app.example.com/a/%2e%2e/b", "uri_dot_segment"),
        ("https://app.example.com\\@evil.example", "uri_character"),
        ("https://app.example.com/a b", "uri_character"),
        ("https://app.example.com;script-src/", "uri_host_character"),
        ("https://app.example.com,evil/", "uri_host_character"),
        ("https://app'.example.com/", "uri_host_character"),
        ("https://bücher.example/", "uri_character"),
        ("https://App.example.com/", "uri_host_spelling"),
        ("HTTPS://app.example.com/", "uri_scheme_case"),
        ("https:///callback", "uri_host_missing"),
        ("https:callback", "uri_host_missing"),
        ("https://app.example.com:x/", "uri_unreadable"),
        ("https://app.example.com/" + "x" * 2000, "uri_too_long"),
        ("ftp://app.example.com/", "uri_scheme_undotted"),
        ("myapp:/callback", "uri_scheme_undotted"),
        ("com.example.app:/callback", "uri_scheme_private"),
    ],
)
def test_a_redirect_uri_must_be_absolute_exact_and_https(uri: str, code: str) -> None:
    found = rule.redirect_uri_problem(uri, native=False)
    assert found is not None
    assert (found.code, found.parameters["uri"]) == (code, uri)


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
def test_valid_redirect_uris_are_accepted(uri: str) -> None:
    assert rule.redirect_uri_problem(uri, native=False) is None


@pytest.mark.requirement(3)
def test_a_private_use_scheme_needs_a_dot_and_a_native_app() -> None:
    assert rule.redirect_uri_problem("com.example.app:/callback", native=True) is None
    assert rule.redirect_uri_problem("com.example.app://callback", native=True)
    assert rule.redirect_uri_problem("com.example.app:callback", native=True)
    assert rule.redirect_uri_problem("exampleapp:/callback", native=True)


PERMITTED = ("cursor", "vscode", "com.example.app")
CURSOR = "cursor://anysphere.cursor-mcp/oauth/callback"


@pytest.mark.requirement(3)
@pytest.mark.parametrize(
    ("uri", "code"),
    [
        (CURSOR, None),
        ("vscode://MermaidChart.vscode-mermaid-chart", None),
        ("vscode://example.extension/mcp-auth/callback/0a1b?x=(dev)", None),
        ("com.example.app://callback", None),
        ("com.example.app:/callback", None),
        ("windsurf://codeium.windsurf/cb", "uri_scheme_undotted"),
        ("cursors://x/cb", "uri_scheme_undotted"),
        ("org.example.app://callback", "uri_scheme_unslashed"),
        ("CURSOR://x/cb", "uri_scheme_case"),
        ("cursor:/callback", "uri_host_missing"),
        ("cursor:callback", "uri_host_missing"),
        ("cursor:///callback", "uri_host_missing"),
        ("cursor://user@anysphere.cursor-mcp/cb", "uri_user_name"),
        ("cursor://anysphere.cursor-mcp:80/cb", "uri_host_character"),
        ("cursor://a%2Fb/cb", "uri_host_character"),
        ("cursor://anysphere.cursor-mcp/oauth/../install", "uri_dot_segment"),
        ("cursor://anysphere.cursor-mcp/oauth/%2e%2E/install", "uri_dot_segment"),
        (f"{CURSOR}#x", "uri_fragment"),
    ],
)
def test_a_permitted_scheme_has_an_authority_and_is_for_native_apps(uri: str, code: str | None) -> None:
    found = rule.redirect_uri_problem(uri, native=True, schemes=PERMITTED)
    assert (found and found.code) == code
    assert rule.redirect_uri_problem(uri, native=False, schemes=PERMITTED)
    phone = structs.replace(WEB, auth_method="none", redirect_uris=(uri,))
    assert (rule.client_problem(phone, native=True, schemes=PERMITTED) is None) == (code is None)
    out = structs.replace(phone, redirect_uris=(CURSOR,), post_logout_redirect_uris=(uri,))
    assert (rule.client_problem(out, native=True, schemes=PERMITTED) is None) == (code is None)


@pytest.mark.requirement(3)
def test_no_list_permits_a_scheme_that_runs_its_content_or_http() -> None:
    for uri in ("javascript://x/%0Aalert(1)", "file://host/x", "http://app.example.com/cb"):
        scheme = uri.partition(":")[0]
        assert rule.redirect_uri_problem(uri, native=True, schemes=(scheme,))


@pytest.mark.requirement(3)
@given(st.text(max_size=60))
def test_no_accepted_uri_runs_scripts_or_misleads(uri: str) -> None:
    if rule.redirect_uri_problem(uri, native=True) is None:
        scheme = uri.partition(":")[0]
        assert scheme in {"https", "http"} or "." in scheme
        assert "#" not in uri
        assert uri.isascii()
        if scheme in {"https", "http"}:
            assert "@" not in uri.removeprefix(f"{scheme}://").partition("/")[0]


@pytest.mark.requirement(14)
def test_form_post_only_requires_uris_that_accept_a_form() -> None:
    posting = structs.replace(WEB, response_modes=("form_post",))
    assert rule.client_problem(posting, native=False) is None
    phone = structs.replace(
        posting, auth_method="none", redirect_uris=("https://app.example.com/cb", "com.example.app:/cb")
    )
    assert rule.client_problem(phone, native=True) == problem(
        "response_mode_unpostable", uri="com.example.app:/cb"
    )
    both = structs.replace(phone, response_modes=("query", "form_post"))
    assert rule.client_problem(both, native=True) is None
    silent = structs.replace(WEB, response_modes=())
    assert rule.client_problem(silent, native=False) == problem("response_modes_missing")


@pytest.mark.requirement(101)
@pytest.mark.parametrize("pkce", ["or_nonce", "optional"])
def test_only_a_confidential_app_may_omit_pkce(pkce: Pkce) -> None:
    without = structs.replace(WEB, pkce=pkce)
    assert rule.client_problem(without, native=False) is None
    public = structs.replace(without, auth_method="none")
    assert rule.client_problem(public, native=False) == problem("public_app_without_pkce")


@pytest.mark.requirement(49)
def test_weak_keys_are_not_registered() -> None:
    signed = structs.replace(WEB, auth_method="private_key_jwt", jwks=KEYS)
    assert rule.client_problem(signed, native=False) is None
    for weak, said in ((rsa_jwk(ROCA), "ROCA"), (rsa_jwk(ROCA, 3), "exponent"), ({"kty": "EC"}, "")):
        rotated = structs.replace(signed, jwks={"keys": [*KEYS["keys"], weak]})
        found = rule.client_problem(rotated, native=False)
        assert found is not None
        assert (found.code, found.parameters["number"]) == ("jwks_unusable", 2)
        assert said in str(found.parameters["reason"])


@pytest.mark.requirement(19)
def test_only_private_key_jwt_may_disable_rotation() -> None:
    fixed = structs.replace(WEB, rotation=False)
    assert rule.client_problem(fixed, native=False) == problem("rotation_required")
    signed = structs.replace(fixed, auth_method="private_key_jwt", jwks=KEYS)
    assert rule.client_problem(signed, native=False) is None
    assert rule.client_problem(structs.replace(fixed, auth_method="none"), native=False)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"redirect_uris": ()}, "redirect_uris_missing"),
        ({"grant_types": ("client_credentials",)}, "redirect_uris_unused"),
        (
            {"auth_method": "none", "grant_types": ("client_credentials",), "redirect_uris": ()},
            "public_app_for_itself",
        ),
        ({"auth_method": "private_key_jwt"}, "jwks_missing"),
        ({"jwks": KEYS}, "jwks_unused"),
        ({"origins": ("https://app.example.com",)}, "origins_of_third_party"),
        ({"origins": ("https://app.example.com/x",), "first_party": True}, "origin_with_path"),
        ({"post_logout_redirect_uris": ("http://app.example.com",)}, "uri_not_https"),
        ({"backchannel_logout_uri": "com.example.app:/x"}, "uri_scheme_not_web"),
        ({"backchannel_logout_uri": "https://u@app.example.com/"}, "uri_user_name"),
    ],
)
def test_inconsistent_registrations_are_refused(change: dict[str, Any], code: str) -> None:
    found = rule.client_problem(structs.replace(WEB, **change), native=False)
    assert found is not None
    assert found.code == code


def test_an_address_error_names_its_member() -> None:
    for member in ("redirect_uris", "post_logout_redirect_uris"):
        found = rule.client_problem(structs.replace(WEB, **{member: ("ftp://x.example/",)}), native=False)
        assert found is not None
        assert found.parameters["member"] == member


@pytest.mark.parametrize(
    ("member", "value", "least", "most"),
    [
        ("access_token_ttl", 9, 10, 86_400),
        ("access_token_ttl", 86_401, 10, 86_400),
        ("refresh_token_ttl", 59, 60, LONGEST),
        ("refresh_token_ttl", LONGEST + 1, 60, LONGEST),
        ("default_max_age", -1, 0, LONGEST),
        ("default_max_age", LONGEST + 1, 0, LONGEST),
    ],
)
def test_a_lifetime_has_bounds(member: str, value: int, least: int, most: int) -> None:
    found = rule.client_problem(structs.replace(WEB, **{member: value}), native=False)
    assert found == problem("out_of_range", member=member, value=value, least=least, most=most)
    for fine in (least, most):
        assert rule.client_problem(structs.replace(WEB, **{member: fine}), native=False) is None


def test_an_unknown_openid_scope_is_refused() -> None:
    found = rule.client_problem(structs.replace(WEB, oidc_scopes=("openid", "orders:read")), native=False)
    assert found is not None
    assert (found.code, found.parameters["scope"]) == ("scope_unknown", "orders:read")


def test_grants_and_methods_must_exist_on_this_server() -> None:
    known: dict[str, Any] = {"grant_types": WEB.grant_types, "auth_methods": ("none", "client_secret_basic")}
    assert rule.plug_problem(WEB, **known) is None
    toy = structs.replace(WEB, grant_types=("authorization_code", "toy"))
    found = problem("grant_type_unknown", grant_type="toy", known=WEB.grant_types)
    assert rule.plug_problem(toy, **known) == found
    assert rule.plug_problem(toy, **{**known, "grant_types": toy.grant_types}) is None
    toy = structs.replace(WEB, auth_method="toy")
    found = problem("auth_method_unknown", auth_method="toy", known=known["auth_methods"])
    assert rule.plug_problem(toy, **known) == found


def test_a_first_party_app_needs_no_redirect_uri() -> None:
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
def test_malformed_permission_names_are_refused(name: str) -> None:
    assert rule.permission_problem(name)


def test_a_well_formed_permission_name_is_accepted() -> None:
    assert rule.permission_problem("orders:read") is None


@pytest.mark.parametrize("name", ["", " ", " a", "a\n", "app_x", "x" * 101])
def test_malformed_names_are_refused(name: str) -> None:
    assert rule.name_problem(name, prefix="app")


@pytest.mark.parametrize("name", ["", " a", "a ", "a\x00b", "rol_x", "x" * 65, "a\u202eb"])
def test_malformed_role_names_are_refused(name: str) -> None:
    assert rule.role_problem(name)


@pytest.mark.parametrize("name", ["customer", "Order clerk", "x", "Größe"])
def test_well_formed_role_names_are_accepted(name: str) -> None:
    assert rule.role_problem(name) is None
