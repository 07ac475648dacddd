"""The flow with npm openid-client, an independent client that checks what the specifications require."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.running import Running
from tests.flows.seeds import API, PASSWORD
from tests.peers.conftest import AFTER, Registered
from tests.peers.node_client import NodeClient
from tools.system import NodePeers

pytestmark = pytest.mark.peer
SCOPE = "openid profile email orders:read offline_access"


def flow(peers: NodePeers, server: Running, app: Registered, **parameters: str) -> tuple[dict[str, Any], Any]:
    """Run the whole flow of one app and Ada. Returns the client's report and her browser."""
    person = server.person()
    task = {**app.task, "do": "sign_in", "scope": SCOPE, "parameters": parameters}
    with NodeClient(peers, server, task) as client:
        page = person.sign_in(person.open(client.hear()["url"]), "ada@example.com", PASSWORD)
        if "consent" in page.forms:
            page = person.press(page, "consent", "allow")
        if "form-post" in page.forms:
            page = person.press(page, "form-post", "continue")
        client.came_back(page)
        return client.hear(), person


def person_of(userinfo: dict[str, Any]) -> dict[str, Any]:
    """The person's claims in userinfo: a signed answer also has the time of its signature, and the two are
    fetched separately."""
    return {name: value for name, value in userinfo.items() if name != "iat"}


@pytest.mark.requirement(8, 18, 22, 24, 55)
@pytest.mark.parametrize(
    "method", ["client_secret_basic", "client_secret_post", "private_key_jwt", "none", "signed"]
)
def test_code_with_pkce_userinfo_refresh_revocation_and_sign_out(
    method: str, node_peers: NodePeers, server: Running, apps: dict[str, Registered]
) -> None:
    said, person = flow(node_peers, server, apps[method])
    assert said["claims"]["iss"] == server.issuer
    assert said["claims"]["acr"] == "urn:doorward:aal1"
    assert said["userinfo"]["email"] == "ada@example.com"
    assert said["userinfo"]["name"] == "Ada Lovelace"
    assert person_of(said["again"]) == person_of(said["userinfo"])
    assert said["first"]["token_type"] == "bearer"
    assert said["rotated"] is True
    assert said["refusal"] == {"name": "ResponseBodyError", "error": "invalid_grant", "status": 400}
    left = person.open(said["end_session"])
    assert left.outside
    assert left.url == f"{AFTER}?state=bye"


@pytest.mark.requirement(13, 14)
def test_form_post_and_max_age(node_peers: NodePeers, server: Running, apps: dict[str, Registered]) -> None:
    said, _ = flow(node_peers, server, apps["client_secret_basic"], response_mode="form_post", max_age="300")
    assert said["claims"]["auth_time"] <= server.clock.now()


def test_tokens_signed_with_ed25519(
    node_peers: NodePeers, server: Running, apps: dict[str, Registered]
) -> None:
    said, _ = flow(node_peers, server, apps["ed25519"])
    assert said["claims"]["aud"] == apps["ed25519"].client.id


@pytest.mark.requirement(26, 56)
def test_client_credentials_and_introspection(
    node_peers: NodePeers, server: Running, apps: dict[str, Registered]
) -> None:
    app = apps["service"]
    asked = {"scope": "orders:read", "resource": API}
    with NodeClient(
        node_peers, server, {**app.task, "do": "client_credentials", "parameters": asked}
    ) as client:
        said = client.hear()
    assert said["introspection"]["active"] is True
    assert said["introspection"]["sub"] == app.client.id
    assert said["introspection"]["aud"] == API
    assert "refresh_token" not in said["tokens"]
