"""MCP clients sign in to the demo MCP server: PyPI `mcp` 2."""

from __future__ import annotations

from collections.abc import Generator
from urllib.parse import parse_qs, urlsplit

import pytest

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.flows.running import Running, running
from tests.flows.seeds import draft
from tests.peers.mcp_client import CALLBACK, Assistant
from tests.peers.mcp_site import BOB, McpSite, mcp_site

pytestmark = [pytest.mark.peer, pytest.mark.anyio]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    with running(tmp_path_factory.mktemp("server")) as started:
        yield started
        assert started.troubles() == []


@pytest.fixture(scope="module")
def site(server: Running) -> Generator[McpSite]:
    with mcp_site(server) as started:
        yield started


@pytest.fixture(scope="module")
def client_id(server: Running, site: McpSite) -> str:
    """A native app that the operator registered for the MCP server."""

    async def work(services: Services) -> str:
        made = await services.get(admin.apps).create(
            os_actor(),
            draft("Assistant", "native", redirect_uris=(CALLBACK,)),
            kind="native",
            access=[site.address],
        )
        return made.client.id

    return server.operate(work)


async def test_a_registered_client_signs_in_refreshes_and_steps_up(
    server: Running, site: McpSite, client_id: str
) -> None:
    assistant = Assistant(site.address, server.person(), BOB).knows(client_id)
    who = await assistant.call("who_am_i")
    assert who["app"] == client_id
    assert who["sub"].startswith("usr_")
    first = parse_qs(urlsplit(assistant.asked[0]).query)
    assert first["resource"] == [site.address]
    assert "orders:write" not in first["scope"][0].split()
    # the second run finds the tokens and asks nobody
    assert await assistant.call("list_orders")
    assert len(assistant.asked) == 1
    async with assistant.connected() as client:
        # a tool that needs more: the person is asked once, for everything
        placed = await client.call_tool("place_order", {"item": "Doorbell"})
        assert placed.structured_content is not None
        assert placed.structured_content["item"] == "Doorbell"
        assert len(assistant.asked) == 2
        more = parse_qs(urlsplit(assistant.asked[1]).query)["scope"][0].split()
        assert {"orders:read", "orders:write"} <= set(more)
        before = assistant.kept.tokens
        assert before is not None
        assert before.refresh_token is not None
        # an expired token is refreshed, and the scopes stay
        assistant.expire()
        assert not (await client.call_tool("place_order", {"item": "Knocker"})).is_error
        assert assistant.kept.tokens is not None
        assert assistant.kept.tokens.access_token != before.access_token
        assert assistant.kept.tokens.refresh_token != before.refresh_token
        assert len(assistant.asked) == 2
