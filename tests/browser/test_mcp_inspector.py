"""An MCP client that is a web page, such as the Inspector: a real browser decides what it may read (Fetch §3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.flows.running import Running, running
from tests.peers.mcp_site import McpSite, mcp_site
from tests.stand_ins.serving import Called, Replied, served_beside

pytestmark = [pytest.mark.browser, pytest.mark.soak]
ASKS = """
async (address) => {
  const own = { 'MCP-Protocol-Version': '2026-07-28' };
  const form = { ...own, 'Content-Type': 'application/x-www-form-urlencoded' };
  const json = { ...own, 'Content-Type': 'application/json' };
  const first = await fetch(address, { method: 'POST', headers: { ...json, Authorization: 'Bearer x' }, body: '{}' });
  const challenge = first.headers.get('WWW-Authenticate') ?? '';
  const place = /resource_metadata="([^"]+)"/.exec(challenge)[1];
  const resource = await (await fetch(place, { headers: own })).json();
  const issuer = resource.authorization_servers[0];
  const found = [];
  for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'])
    found.push(await (await fetch(issuer + path, { headers: own })).json());
  const metadata = found[0];
  const client = await fetch(metadata.registration_endpoint, {
    method: 'POST', headers: json,
    body: JSON.stringify({ client_name: 'Inspector', redirect_uris: [`${location.origin}/oauth/callback`] }),
  });
  const registered = await client.json();
  const body = new URLSearchParams({ grant_type: 'authorization_code', code: 'x', client_id: registered.client_id });
  const token = await fetch(metadata.token_endpoint, { method: 'POST', headers: form, body });
  const keys = await fetch(metadata.jwks_uri, { headers: own });
  return {
    challenge, resource, issuers: found.map((one) => one.issuer), registered: client.status, client: registered,
    token: token.status, error: (await token.json()).error, keys: (await keys.json()).keys.length,
  };
}
"""


class Inspector:
    """Its page."""

    origin = ""

    def answer(self, called: Called) -> Replied:
        del called
        return Replied(200, "<!doctype html><title>Inspector</title>")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, McpSite]]:
    """Server and MCP server. They are set up before the browser, whose driver keeps an event loop in this thread."""
    open_server: dict[str, dict[str, Any]] = {"registration": {"mode": "open"}}
    with running(tmp_path_factory.mktemp("server"), sections=open_server) as server:
        with mcp_site(server, open_to="registration") as site:
            yield server, site
        assert server.troubles() == []


def test_a_web_page_reads_all_that_it_needs(places: tuple[Running, McpSite], chrome: Browser) -> None:
    """keycloak#43625: with the headers that the SDK adds, each of these requests comes after a preflight."""
    (server, site), inspector = places, Inspector()
    with served_beside(inspector):
        page = chrome.new_page()
        page.goto(inspector.origin)
        said = page.evaluate(ASKS, site.address)
        page.close()
    assert 'error="invalid_token"' in said["challenge"]
    assert 'scope="orders:read"' in said["challenge"]
    assert said["resource"]["resource"] == site.address
    assert said["issuers"] == [server.issuer, server.issuer]
    assert said["registered"] == 201, said
    assert (said["token"], said["error"]) == (400, "invalid_grant"), said
    assert said["keys"] > 0
