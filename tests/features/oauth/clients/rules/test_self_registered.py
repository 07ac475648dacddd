"""Client metadata of apps that no operator registered: what is taken, what is left out, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.features.oauth.clients.rules import self_registered
from doorward.features.oauth.clients.rules.private_schemes import WIDELY_USED
from doorward.features.oauth.clients.rules.registration import client_problem
from doorward.features.oauth.clients.rules.self_registered import GRANTS, client_of, read
from tests.features import made

METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
WEB = "https://app.example.com/cb"
CURSOR = "cursor://anysphere.cursor-mcp/oauth/callback"


def answer(**members: Any) -> Client | OAuthError:
    document = {"redirect_uris": [WEB], "client_name": "Example", **members}
    metadata = read(document)
    if isinstance(metadata, OAuthError):
        return metadata
    return client_of(
        metadata,
        document,
        client_id="dcr_one",
        registered_by="app",
        methods=METHODS,
        grants=GRANTS,
        now=made.NOW,
        schemes=WIDELY_USED,
    )


def good(**members: Any) -> Client:
    client = answer(**members)
    assert isinstance(client, Client), client
    return client


@pytest.mark.requirement(3, 62)
@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"redirect_uris": ["https://a.example/cb#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://user@a.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["data:text/html,x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://a.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://*.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://localhost/cb"], "application_type": "web"}, "invalid_redirect_uri"),
        ({"redirect_uris": ["com.example.app:/cb"], "application_type": "web"}, "invalid_redirect_uri"),
        ({"redirect_uris": [CURSOR], "application_type": "web"}, "invalid_redirect_uri"),
        ({"redirect_uris": [CURSOR], "token_endpoint_auth_method": "client_secret_post"}, "invalid_client_metadata"),
        ({"redirect_uris": [CURSOR, "unheardof://x/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": WEB}, "invalid_client_metadata"),
        ({"redirect_uris": [f"{WEB}{n}" for n in range(21)]}, "invalid_redirect_uri"),
        ({"post_logout_redirect_uris": ["javascript:x"]}, "invalid_redirect_uri"),
        ({"application_type": "tv"}, "invalid_client_metadata"),
        ({"sector_identifier_uri": "https://a.example/list"}, "invalid_client_metadata"),
        ({"subject_type": "pairwise"}, "invalid_client_metadata"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": ["refresh_token"]}, "invalid_client_metadata"),
        ({"grant_types": ["password", "implicit"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"response_types": []}, "invalid_client_metadata"),
        ({"response_types": ["token"], "grant_types": [self_registered.DEVICE_CODE]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}, "invalid_client_metadata"),
        ({"jwks": {"keys": []}, "jwks_uri": "https://a.example/k"}, "invalid_client_metadata"),
        ({"id_token_signed_response_alg": "none"}, "invalid_client_metadata"),
        ({"id_token_encrypted_response_alg": "RSA-OAEP"}, "invalid_client_metadata"),
        ({"default_max_age": -1}, "invalid_client_metadata"),
        ({"default_max_age": "3600"}, "invalid_client_metadata"),
    ],
)  # fmt: skip
def test_what_cannot_be_registered_is_refused(members: dict[str, Any], error: str) -> None:
    refused = answer(**members)
    assert isinstance(refused, OAuthError)
    assert refused.code == error, refused
    assert len(refused.description) <= 500


@pytest.mark.parametrize(
    ("members", "native", "method"),
    [
        ({}, False, "client_secret_basic"),
        ({"redirect_uris": ["http://127.0.0.1/cb"]}, True, "none"),
        ({"redirect_uris": ["http://localhost:1234/cb", "http://[::1]/cb"]}, True, "none"),
        ({"redirect_uris": [WEB, "http://localhost/cb"]}, False, "client_secret_basic"),
        ({"application_type": "native"}, True, "none"),
        ({"redirect_uris": ["com.example.app:/cb"]}, True, "none"),
        ({"redirect_uris": [WEB, CURSOR, "http://localhost:8787/callback"]}, True, "none"),
        ({"redirect_uris": ["raycast://oauth?package_name=mcp_(dev)"]}, True, "none"),
        ({"application_type": "native", "token_endpoint_auth_method": "client_secret_post"}, True, "client_secret_post"),
        ({"token_endpoint_auth_method": "none"}, False, "none"),
    ],
)  # fmt: skip
def test_the_application_type_and_the_addresses_give_the_default_method(
    members: dict[str, Any], native: bool, method: str
) -> None:
    client = good(**members)
    assert (client.native, client.auth_method) == (native, method)
    assert client.free_localhost


@pytest.mark.requirement(12)
def test_nothing_that_an_operator_decides_is_taken_from_the_app() -> None:
    client = good(
        first_party=True,
        access={made.API: ["x"]},
        pkce="optional",
        rotation=False,
        origins=["https://a.example"],
    )
    assert not client.first_party
    assert client.self_registered
    assert (client.access, client.origins, client.pkce, client.rotation) == ({}, (), "required", True)


def test_grants_that_are_not_for_such_apps_are_left_out() -> None:
    asked = [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ]
    assert good(grant_types=asked).grant_types == ("authorization_code", "refresh_token")
    assert good(grant_types=["authorization_code"]).grant_types == ("authorization_code",)
    device = good(grant_types=[self_registered.DEVICE_CODE], redirect_uris=[], response_types=[])
    assert (device.grant_types, device.redirect_uris) == ((self_registered.DEVICE_CODE,), ())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Example", "Example"),
        (None, "app.example.com"),
        ("", "app.example.com"),
        ("\u202eelpmaxE\u2066", "elpmaxE"),
        ("a\nb", "a b"),
        ("app_1", "app.example.com"),
        ("x" * 5000, "x" * 100),
    ],
)
def test_a_name_is_one_line_without_what_nobody_sees(name: str | None, shown: str) -> None:
    assert good(client_name=name).name == shown


@given(
    st.dictionaries(
        st.sampled_from([*self_registered.ClientMetadata.__struct_fields__, "client_secret", "x"]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.text(max_size=20)
            | st.sampled_from([WEB, "native", "none"]),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    )
)
def test_any_metadata_gets_an_answer_and_an_accepted_app_is_valid(members: dict[str, Any]) -> None:
    client = answer(**members)
    if isinstance(client, Client):
        assert client_problem(client, native=client.native) is None
