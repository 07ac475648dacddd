"""Tokens where they do not belong: passed on to another API, got for another MCP server, or in an address (R67)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import msgspec
import pytest
from mcp.server.mcpserver import MCPServer
from starlette.testclient import TestClient

from doorward.core.model.config_snapshot import Api, Permission, Role
from doorward_verify.mcp import McpResourceServer
from tests.features import made
from tests.features.authn.test_toys import claims_of
from tests.front_channel import Front, front_channel
from tests.tabs import said

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(67)]
HOST = "http://127.0.0.1:8123"
NOTES, MAIL = f"{HOST}/mcp", "https://mail.example.com/mcp"
NEIGHBOURS = (HOST, f"{HOST}/", f"{HOST}/mcp/", f"{HOST}/mcp/v2", "http://127.0.0.1:8124/mcp", "mcp")
SERVERS = (NOTES, MAIL, *NEIGHBOURS)
ASSISTANT = made.public(
    id="app_assistant",
    name="Assistant",
    redirect_uris=("http://127.0.0.1/callback",),
    access=dict.fromkeys(SERVERS, ("notes:read",)),
    oidc_scopes=("openid", "offline_access"),
)


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    """The server with several MCP servers, whose permissions have equal names."""
    async with front_channel() as opened:
        registry = opened.store.registry
        apis = [
            Api(f"api_{number}", address, f"Server {number}", (Permission("notes:read"),), made.NOW)
            for number, address in enumerate(SERVERS)
        ]
        role = Role("rol_all", "all", dict.fromkeys(SERVERS, ("notes:read",)), made.NOW)
        assert await opened.store.commit(*(registry.put_api(api) for api in apis), registry.put_role(role))
        await opened.register(ASSISTANT)
        await opened.person(role_names=("all",))
        yield opened


async def tokens_for(front: Front, resource: str) -> dict[str, Any]:
    """What the person's assistant has for one MCP server."""
    tab = await front.signed_in()
    asked = front.asking(ASSISTANT, scope="openid notes:read", resource=resource)
    page = await tab.submit(await tab.on(await tab.get(asked)), "consent", decision="allow")
    answer = await front.redeem(ASSISTANT, said(page)["code"], redirect_uri=ASSISTANT.redirect_uris[0])
    assert answer["status"] == 200, answer
    return answer


class Notes:
    """The MCP server at `NOTES`, with the real SDK."""

    def __init__(self, front: Front, *, wrapped: bool) -> None:
        keys = msgspec.json.decode(msgspec.json.encode(front.services.signer.jwks()))
        auth = McpResourceServer(
            made.ISSUER, NOTES, jwks=keys, clock=lambda: front.now, scopes=["notes:read"]
        )
        server = MCPServer("Notes", token_verifier=auth, auth=auth.settings())
        server.tool()(secret)
        app = server.streamable_http_app(json_response=True, stateless_http=True)
        self._client = TestClient(auth.protect(app) if wrapped else app, base_url=HOST)

    def __enter__(self) -> Notes:
        self._client.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.__exit__()

    def call(self, token: str | None = None, query: str = "", **headers: str) -> httpx2.Response:
        """Call the tool."""
        params = {"name": "secret", "arguments": {}}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self._client.post(
            f"/mcp{query}",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
            headers={
                "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": "2025-11-25",
                **headers,
            },
        )


def secret() -> str:
    """A note."""
    return "the door key is under the mat"


async def test_an_mcp_server_cannot_use_its_callers_token_at_another_one(front: Front) -> None:
    """The confused deputy: the mail server was given a token, and tries it at the notes of the same person."""
    notes, mail = await tokens_for(front, NOTES), await tokens_for(front, MAIL)
    neighbours = [await tokens_for(front, address) for address in NEIGHBOURS]
    # the SDK compares a part of these addresses as equal; for tokens they never are
    for wrapped in (True, False):
        with Notes(front, wrapped=wrapped) as server:
            assert "under the mat" in server.call(notes["access_token"]).text
            for foreign in (mail, *neighbours):
                refused = server.call(foreign["access_token"])
                assert refused.status_code == 401, claims_of(foreign["access_token"])["aud"]
                assert "under the mat" not in refused.text
            for other_kind in (notes["id_token"], notes["refresh_token"], mail["id_token"]):
                assert server.call(other_kind).status_code == 401


async def test_a_grant_for_one_server_gives_no_token_for_another(front: Front) -> None:
    mail = await tokens_for(front, MAIL)
    form = {"grant_type": "refresh_token", "refresh_token": mail["refresh_token"]}
    for wanted in (NOTES, HOST, f"{MAIL}/", f"{MAIL}/../mcp", made.API):
        answer = await front.token(ASSISTANT, {**form, "resource": wanted})
        assert (answer["status"], answer["error"]) == (400, "invalid_target"), wanted
    assert claims_of((await front.token(ASSISTANT, form))["access_token"])["aud"] == MAIL
    tab = await front.signed_in()
    asked = front.asking(ASSISTANT, scope="notes:read", resource=MAIL)
    page = await tab.submit(await tab.on(await tab.get(asked)), "consent", decision="allow")
    answer = await front.redeem(
        ASSISTANT, said(page)["code"], redirect_uri=ASSISTANT.redirect_uris[0], resource=NOTES
    )
    assert (answer["status"], answer["error"]) == (400, "invalid_target")


async def test_a_token_in_an_address_opens_nothing(front: Front) -> None:
    """Addresses are kept by proxies, logs and histories (RFC 9700 §4.3.2; MCP: tokens never stand in the query)."""
    token = (await tokens_for(front, NOTES))["access_token"]
    with Notes(front, wrapped=True) as server:
        for query in (f"?access_token={token}", f"?authorization=Bearer%20{token}", f"?token={token}"):
            refused = server.call(query=query)
            assert refused.status_code == 401
            assert "error" not in refused.headers["www-authenticate"]
            assert token not in refused.text + refused.headers["www-authenticate"]
        assert server.call(token, query=f"?access_token={token}").status_code == 200
    page = await front.browser().ask("GET", f"/userinfo?access_token={token}")
    assert page.status == 401
