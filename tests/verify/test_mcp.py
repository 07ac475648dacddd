"""MCP integration: the SDK's server with our verifier, its challenges, and the scopes of its tools."""

import json
from collections.abc import Generator
from typing import Any, Final

import httpx2
import pytest
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import MCPServer
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from doorward_verify.auth_error import AuthError
from doorward_verify.mcp import MAX_BODY, McpResourceServer
from doorward_verify.testing import TokenMint

ISSUER: Final = "https://auth.example.com"
HOST: Final = "http://127.0.0.1:8123"
AUDIENCE: Final = f"{HOST}/mcp"
META: Final = f'resource_metadata="{HOST}/.well-known/oauth-protected-resource/mcp"'
TOOLS: Final = {"place_order": ["orders:write", "stock:read"]}


@pytest.fixture(scope="module")
def auth() -> McpResourceServer:
    return McpResourceServer(ISSUER, AUDIENCE, scopes=["orders:read"], name="Orders", jwks={"keys": []})


@pytest.fixture(scope="module")
def client(auth: McpResourceServer) -> Generator[TestClient]:
    server = MCPServer("Orders", token_verifier=auth, auth=auth.settings())

    @server.tool()
    def list_orders() -> str:
        token = get_access_token()
        assert token is not None
        return f"{token.subject} by {token.client_id} with {' '.join(token.scopes)} at {token.resource}"

    @server.tool()
    def place_order() -> str:
        return "placed"

    @server.custom_route("/healthz", methods=["GET"])
    async def health(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    app = auth.protect(
        server.streamable_http_app(json_response=True, stateless_http=True),
        tools=TOOLS,
        public=["/healthz"],
    )
    with TestClient(app, base_url=HOST) as started:
        yield started


@pytest.fixture
def mint(auth: McpResourceServer, doorward_tokens: Any) -> TokenMint:
    return doorward_tokens(auth)


def call(client: TestClient, token: str | None, tool: str = "list_orders", **sent: Any) -> httpx2.Response:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}}
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    body = sent.pop("content", None) or json.dumps(message)
    return client.post("/mcp", content=body, headers={"Content-Type": "application/json", **headers}, **sent)


@pytest.mark.requirement(66)
def test_a_client_learns_everything_from_the_first_answer(client: TestClient, mint: TokenMint) -> None:
    del mint
    first = call(client, None)
    assert first.status_code == 401
    assert first.headers["www-authenticate"] == f'Bearer scope="orders:read", {META}'
    document = client.get("/.well-known/oauth-protected-resource/mcp")
    assert document.json() == {
        "resource": AUDIENCE,
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["orders:read"],
        "resource_name": "Orders",
    }
    assert document.headers["access-control-allow-origin"] == "*"
    assert client.options("/.well-known/oauth-protected-resource/mcp").status_code == 204


def test_a_tool_sees_whose_token_it_is(client: TestClient, mint: TokenMint) -> None:
    answer = call(client, mint.token(scopes=["orders:read"], sub="usr_7"))
    assert answer.status_code == 200, answer.text
    assert f"usr_7 by app_test with orders:read at {AUDIENCE}" in answer.text


@pytest.mark.requirement(66)
def test_a_tool_that_needs_more_says_so_once_and_completely(client: TestClient, mint: TokenMint) -> None:
    refused = call(client, mint.token(scopes=["orders:read"]), "place_order")
    assert refused.status_code == 403
    said = refused.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in said
    assert 'scope="orders:read orders:write stock:read"' in said
    assert META in said
    assert (
        "placed"
        in call(client, mint.token(scopes=["orders:read", "orders:write", "stock:read"]), "place_order").text
    )


@pytest.mark.requirement(67)
@pytest.mark.parametrize("bad", ["wrong_audience", "expired", "wrong_key", "id_token"])
def test_tokens_of_others_are_refused_by_the_verifier_itself(
    bad: str, client: TestClient, mint: TokenMint, auth: McpResourceServer
) -> None:
    token = getattr(mint, bad)()
    refused = call(client, token)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert 'scope="orders:read"' in refused.headers["www-authenticate"]
    # and without `protect`, by the SDK
    assert client.portal is not None
    assert client.portal.call(auth.verify_token, token) is None


def test_a_revoked_token_ends_at_the_tool(client: TestClient, mint: TokenMint) -> None:
    token = mint.token(scopes=["orders:read"], sid="ses_1")
    assert call(client, token).status_code == 200
    mint.revoke(sid="ses_1")
    assert call(client, token).status_code == 401


def test_an_open_stream_ends_with_its_token(auth: McpResourceServer, mint: TokenMint) -> None:
    """A stream of events may be open for hours: nothing is sent after a revocation."""
    token = mint.token(scopes=["orders:read"], sid="ses_stream")

    async def events(scope: Any, receive: Any, send: Any) -> None:
        del receive
        if scope["type"] == "lifespan":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"before ", "more_body": True})
        mint.revoke(sid="ses_stream")
        await send({"type": "http.response.body", "body": b"after", "more_body": True})
        await send({"type": "http.response.body", "body": b"end", "more_body": False})

    client = TestClient(auth.protect(events), base_url=HOST)
    assert client.get("/mcp", headers={"Authorization": f"Bearer {token}"}).text == "before "
    assert client.get("/mcp", headers={"Authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"place_order"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_orders","name":"place_order"}}',
        b'[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"place_order"}}]',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"place_order"}',
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_a_message_that_two_parsers_read_differently_is_refused(
    body: bytes, client: TestClient, mint: TokenMint
) -> None:
    answer = call(client, mint.token(scopes=["orders:read"]), content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == -32700


def test_a_message_is_read_up_to_a_limit(client: TestClient, mint: TokenMint) -> None:
    assert call(client, mint.token(scopes=["orders:read"]), content=b"x" * (MAX_BODY + 1)).status_code == 413
    # without a token nothing is read
    assert call(client, None, content=b"x" * (MAX_BODY + 1)).status_code == 401


@pytest.mark.parametrize(
    "body", [b"{}", b'{"method":"tools/call"}', b'{"method":"tools/call","params":{"name":1}}']
)
def test_other_messages_are_for_the_sdk_to_answer(body: bytes, client: TestClient, mint: TokenMint) -> None:
    assert call(client, mint.token(scopes=["orders:read"]), content=body).status_code == 400
    assert client.get("/healthz").text == "ok"


def test_missing_keys_are_no_reason_to_sign_in_again(client: TestClient) -> None:
    away = McpResourceServer("http://127.0.0.1:1", AUDIENCE, wait=0)
    token = "a.b.c"
    assert client.portal is not None
    with pytest.raises(AuthError) as told:
        client.portal.call(away.verify_token, token)
    assert told.value.reason == "keys_unavailable"
    away.close()


def test_both_checks_know_from_where_a_key_came(
    auth: McpResourceServer, client: TestClient, mint: TokenMint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """API keys may be limited to networks; the SDK gives its verifier the token alone."""
    came: list[str | None] = []
    real = auth.verify_async

    async def noted(token: str, *, now: float | None = None, address: str | None = None) -> Any:
        came.append(address)
        return await real(token, now=now, address=address)

    monkeypatch.setattr(auth, "verify_async", noted)
    assert call(client, mint.token(scopes=["orders:read"])).status_code == 200
    assert len(came) == 3  # before and after the message was read, and by the SDK
    assert set(came) == {"testclient"}


def test_settings_need_an_address_as_audience() -> None:
    with pytest.raises(ValueError, match="URL"):
        McpResourceServer(ISSUER, "urn:example:orders", jwks={"keys": []}).settings()
    settings = McpResourceServer(ISSUER, "https://mcp.example.com", jwks={"keys": []}).settings()
    assert (str(settings.issuer_url), str(settings.resource_server_url)) == (
        ISSUER,
        "https://mcp.example.com",
    )


def test_one_string_for_a_tool_raises_at_once(auth: McpResourceServer) -> None:
    with pytest.raises(TypeError, match=r'scopes=\["orders:read"\]'):
        auth.protect(MCPServer("x").streamable_http_app(), tools={"place_order": "orders:write"})
