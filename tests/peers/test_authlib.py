"""The flow with PyPI Authlib, an independent client."""

from __future__ import annotations

import pytest
from authlib.integrations.base_client import OAuthError

from tests.flows.running import Running
from tests.flows.seeds import API, CALLBACK, PASSWORD
from tests.peers.authlib_client import AuthlibClient
from tests.peers.conftest import Registered

pytestmark = pytest.mark.peer
SCOPE = "openid profile email orders:read offline_access"


def client_of(server: Running, app: Registered, scope: str = SCOPE) -> AuthlibClient:
    assert server.ca is not None
    return AuthlibClient(server.issuer, app, ca=server.ca, redirect_uri=CALLBACK, scope=scope)


@pytest.mark.requirement(18, 22, 24, 51)
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"])
def test_code_with_pkce_userinfo_refresh_and_revocation(
    method: str, server: Running, apps: dict[str, Registered]
) -> None:
    client, person = client_of(server, apps[method]), server.person()
    page = person.sign_in(person.open(client.url(max_age="300")), "ada@example.com", PASSWORD)
    if "consent" in page.forms:
        page = person.press(page, "consent", "allow")
    assert page.outside
    tokens = client.fetch(page.url)
    identity = client.identity(tokens)
    userinfo = client.userinfo()
    assert userinfo["sub"] == identity["sub"]
    assert userinfo["email"] == "ada@example.com"
    newer = client.refresh()
    assert newer["refresh_token"] != tokens["refresh_token"]
    assert newer["access_token"] != tokens["access_token"]
    assert client.userinfo() == userinfo
    assert client.revoke(newer["refresh_token"]) == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        client.refresh()


@pytest.mark.requirement(26, 56)
def test_client_credentials_and_introspection(server: Running, apps: dict[str, Registered]) -> None:
    client = client_of(server, apps["service"], "orders:read")
    tokens = client.client_credentials(API)
    assert tokens["scope"] == "orders:read"
    said = client.introspect(tokens["access_token"])
    assert (said["active"], said["sub"], said["aud"]) == (True, apps["service"].client.id, API)
