"""MCP clients sign in to the demo MCP server: PyPI `mcp` 2, npm's SDK and `mcp-remote`; npm's conformance tests."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio.to_thread
import pytest
from mcp.client.auth import OAuthTokenError

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.flows.running import Running, running
from tests.flows.seeds import draft
from tests.peers.mcp_client import CALLBACK, Assistant
from tests.peers.mcp_company import CompanyApp, company_app, doorward_company
from tests.peers.mcp_node import Program, SdkClient
from tests.peers.mcp_site import ADA, BOB, EVE, McpSite, mcp_site
from tests.ports import free_port
from tools.system import NodePeers

MCP_REMOTE = "mcp-remote/dist/proxy.js"
CONFORMANCE = "@modelcontextprotocol/conformance/dist/index.js"
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
            draft("Assistant", "native", redirect_uris=(CALLBACK, "http://127.0.0.1/oauth/callback")),
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


async def test_a_person_who_may_not_is_told_and_the_client_ends_its_tries(
    server: Running, site: McpSite, client_id: str
) -> None:
    for email, told in (
        (ADA, "also asked for what your account may not do. It is left out: Place orders"),
        (EVE, "Your account may do nothing with Orders at"),
    ):
        assistant = Assistant(site.address, server.person(), email).knows(client_id)
        with pytest.raises(ExceptionGroup):
            await assistant.call("place_order", item="Doorbell")
        assert told in assistant.read[-1], assistant.read
        assert len(assistant.asked) == 2


def test_npms_sdk_signs_in_refreshes_and_steps_up(
    server: Running, site: McpSite, client_id: str, node_peers: NodePeers
) -> None:
    task = {"address": site.address, "redirect": CALLBACK, "client": {"client_id": client_id}}
    with SdkClient(node_peers, server.person(), BOB, **task) as assistant:
        assert assistant.do("connect") == {"connected": True}
        assert parse_qs(urlsplit(assistant.asked[0]).query)["scope"] == ["orders:read"]
        who = assistant.do("call", tool="who_am_i")
        assert who["answer"]["app"] == client_id, who
        kept = assistant.do("kept")
        # medplum#9183: a refresh token without offline_access
        assert kept["refreshes"] is True
        assistant.do("expire")
        assert assistant.do("call", tool="list_orders")["answer"]["orders"]
        assert assistant.do("kept")["token"] not in {"expired", kept["token"]}
        assert len(assistant.asked) == 1
        refused = assistant.do("call", tool="place_order", args={"item": "Doorbell"})
        assert refused["code"] == 403, refused
        assert assistant.do("more", scope="orders:read orders:write")["scope"] == "orders:read orders:write"
        placed = assistant.do("call", tool="place_order", args={"item": "Doorbell"})
        assert placed["answer"]["item"] == "Doorbell", placed


def test_mcp_remote_signs_in_with_a_registered_app(
    server: Running, site: McpSite, client_id: str, node_peers: NodePeers, tmp_path: Path
) -> None:
    known = json.dumps({"client_id": client_id})
    arguments = (site.address, str(free_port()), "--host", "127.0.0.1", "--static-oauth-client-info", known)
    with Program(node_peers, MCP_REMOTE, *arguments, folder=tmp_path) as remote:
        hello = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        }
        remote.send({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello})
        remote.approved_by(server.person())
        assert "result" in remote.answer(1)
        remote.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        call = {"name": "who_am_i", "arguments": {}}
        remote.send({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call})
        assert remote.answer(2)["result"]["structuredContent"]["app"] == client_id, remote.text


@pytest.mark.requirement(65)
def test_the_conformance_tests_of_authorization_servers_pass(
    server: Running, site: McpSite, client_id: str, node_peers: NodePeers, tmp_path: Path
) -> None:
    async def work(services: Services) -> str:
        made = await services.get(admin.apps).create(
            os_actor(),
            draft("Conformance", "native", redirect_uris=("http://127.0.0.1/callback",)),
            kind="native",
            access=[site.address],
        )
        return made.client.id

    app = server.operate(work)
    arguments = ["authorization", "--url", server.issuer, "--client-id", app, "--resource", site.address]
    arguments += ["-p", str(free_port()), "-o", str(tmp_path / "results")]
    with Program(node_peers, CONFORMANCE, *arguments, folder=tmp_path) as suite:
        suite.approved_by(server.person(), ADA)
        assert suite.status() == 0, suite.text
    verdicts = {
        check["id"]: check["status"]
        for path in (tmp_path / "results").rglob("checks.json")
        for check in json.loads(path.read_text())
    }
    assert {"authorization-server-metadata", "authorization-code-grant"} <= verdicts.keys()
    assert "FAILURE" not in verdicts.values(), verdicts


@pytest.fixture(scope="module")
def company(server: Running, site: McpSite) -> CompanyApp:
    return company_app(server, site)


async def test_an_assertion_of_the_persons_company_opens_the_mcp_server(
    company: CompanyApp, site: McpSite
) -> None:
    """MCP's enterprise-managed authorization, with the SDK's IdentityAssertionOAuthProvider."""
    who = await company.call("who_am_i")
    assert who["app"] == company.client_id
    assert who["sub"].startswith("usr_")
    # of what the assertion names, the request asks for one
    assert who["scopes"] == ["orders:read"]
    for changes in (
        {"resource": "https://other.example.com/mcp"},
        {"aud": "https://other.example.com"},
        {"client_id": "app_other"},
        {"sub": "somebody-else"},
        {"exp": 1},
    ):
        with pytest.raises(ExceptionGroup) as told:
            await company.call("who_am_i", **changes)
        refusals = [str(one) for one in _all(told.value) if isinstance(one, OAuthTokenError)]
        assert any("invalid_grant" in one or "invalid_target" in one for one in refusals), changes
        assert site.statuses("/mcp")[-1] == 401


@pytest.mark.soak
async def test_a_doorward_of_the_company_lets_its_app_in(
    server: Running, site: McpSite, tmp_path: Path
) -> None:
    """Both legs: Ada signs in to her company's app, whose provider exchanges her ID token for an assertion for this server."""
    with running(tmp_path) as provider:
        app, assertion = await anyio.to_thread.run_sync(doorward_company, provider, server, site)
        who = await app.call_with(assertion, "who_am_i")
        assert who["app"] == app.client_id
        assert who["scopes"] == ["orders:read"]
        assert provider.troubles() == []


def _all(problem: BaseException) -> list[BaseException]:
    if isinstance(problem, BaseExceptionGroup):
        return [found for one in problem.exceptions for found in _all(one)]
    return [problem]
