"""The demo MCP server's tools: the code that a server of the Python SDK `mcp` needs to accept Doorward's access tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from msgspec import structs
from pydantic import Field
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from doorward_demo.demo.orders.ledger import Ledger
from doorward_verify.mcp import McpResourceServer

READ: Final = "orders:read"
WRITE: Final = "orders:write"


def create_app(issuer: str, address: str, *, ca: Path | None = None) -> ASGIApp:
    """The MCP server at `address`, which accepts `issuer`'s tokens for that address. `ca`: a private CA of the issuer."""
    auth = McpResourceServer(issuer, address, scopes=(READ,), name="Demo orders", ca=ca)
    server = MCPServer("Demo orders", token_verifier=auth, auth=auth.settings(), log_level="WARNING")
    ledger = Ledger()

    def list_orders() -> dict[str, Any]:
        """The orders of the person who is signed in."""
        return {"orders": [structs.asdict(order) for order in ledger.of(_person())]}

    def place_order(
        item: Annotated[str, Field(min_length=1, max_length=80)],
        quantity: Annotated[int, Field(ge=1, le=99)] = 1,
    ) -> dict[str, Any]:
        """Place an order for the person who is signed in."""
        return structs.asdict(ledger.place(_person(), item, quantity))

    def who_am_i() -> dict[str, Any]:
        """Whose token this is, and what it may do."""
        token = get_access_token()
        return {} if token is None else {"sub": token.subject, "app": token.client_id, "scopes": token.scopes}

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    for tool in (list_orders, place_order, who_am_i):
        server.tool()(tool)
    server.custom_route("/healthz", methods=["GET"])(healthz)
    parts = urlsplit(address)
    app = server.streamable_http_app(
        streamable_http_path=parts.path or "/",
        # a page of another site must not reach a server on this machine through a name that it points here
        transport_security=TransportSecuritySettings(
            allowed_hosts=[parts.netloc],
            allowed_origins=["http://localhost:*", "http://127.0.0.1:*"],
        ),
    )
    return CORSMiddleware(
        auth.protect(app, tools={"place_order": [WRITE]}, public=["/healthz"]),
        allow_origins=["*"],
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*", "Authorization"],
        expose_headers=["WWW-Authenticate", "Mcp-Session-Id"],
    )


def _person() -> str:
    token = get_access_token()
    if token is None or token.subject is None:
        raise PermissionError("This tool needs a person's access token.")
    return token.subject
