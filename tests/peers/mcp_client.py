"""PyPI `mcp` as a client: it gets the address of an MCP server, and a person with a browser."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
import httpx2
from mcp.client import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

from tests.flows.browsing import Page, Person
from tests.peers.mcp_site import ADA, approve
from tests.waiting import PATIENCE

CALLBACK = "http://127.0.0.1:33418/callback"


@dataclass
class Kept:
    """What the client keeps between its runs."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """The tokens."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep the tokens."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """The client's registration."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep the registration."""
        self.client = client_info


@dataclass
class Assistant:
    """A program with the SDK, and its person. `asked` are the addresses that it opened in the browser, `read` the words of the consent
    pages."""

    address: str
    person: Person
    email: str = ADA
    kept: Kept = field(default_factory=Kept)
    document: str | None = None
    redirect: str = CALLBACK
    asked: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    _page: Page | None = None
    _auth: OAuthClientProvider | None = None

    def knows(self, client_id: str, secret: str | None = None, method: str = "none") -> Assistant:
        """With credentials that an operator gave it."""
        self.kept.client = OAuthClientInformationFull.model_validate(
            {
                "client_id": client_id,
                "client_secret": secret,
                "token_endpoint_auth_method": method,
                "redirect_uris": [self.redirect],
            }
        )
        return self

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Connect, call one tool, and leave."""
        async with self.connected() as client:
            answer = await client.call_tool(tool, arguments)
            assert not answer.is_error, answer.content
            assert answer.structured_content is not None
            return answer.structured_content

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[Client]:
        """A connection, for several calls."""
        self._auth = OAuthClientProvider(
            self.address,
            OAuthClientMetadata.model_validate(
                {"redirect_uris": [self.redirect], "client_name": "Assistant"}
            ),
            self.kept,
            redirect_handler=self._open,
            callback_handler=self._came_back,
            client_metadata_url=self.document,
        )
        async with (
            httpx2.AsyncClient(auth=self._auth, trust_env=False, timeout=PATIENCE) as http,
            Client(streamable_http_client(self.address, http_client=http)) as client,
        ):
            yield client

    def expire(self) -> None:
        """Let the client believe that its access token has expired."""
        assert self._auth is not None
        self._auth.context.token_expiry_time = 1.0

    async def _open(self, url: str) -> None:
        self.asked.append(url)
        self._page = await anyio.to_thread.run_sync(
            lambda: approve(self.person, url, self.email, read=self.read)
        )

    async def _came_back(self) -> AuthorizationCodeResult:
        assert self._page is not None
        query = self._page.query
        assert "error" not in query, query
        return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))
