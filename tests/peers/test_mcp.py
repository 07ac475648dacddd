"""MCP clients sign in to the demo MCP server with its address alone: PyPI `mcp` 2, npm's SDK, `mcp-remote`, and npm's conformance tests."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any
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
from tests.peers.mcp_documents import AssistantSite
from tests.peers.mcp_node import Program, SdkClient
from tests.peers.mcp_site import ADA, BOB, EVE, McpSite, mcp_site
from tests.ports import free_port
from tests.stand_ins.serving import served_beside
from tools.system import NodePeers

MCP_REMOTE = "mcp-remote/dist/proxy.js"
CONFORMANCE = "@modelcontextprotocol/conformance/dist/index.js"
SECTIONS: dict[str, dict[str, Any]] = {
    "registration": {"mode": "open"},
    "client_documents": {"accept": "any", "private_hosts": ["localhost"]},
}
pytestmark = [pytest.mark.peer, pytest.mark.anyio]


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Generator[AssistantSite]:
    """Where the assistant's makers publish its document."""
    made = AssistantSite()
    with served_beside(made, tmp_path_factory.mktemp("publisher")) as ca_file:
        assert ca_file is not None
        made.ca_file = ca_file
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, publisher: AssistantSite) -> Generator[Running]:
    trusted = {"DOORWARD_CA_FILE": publisher.ca_file}
    with running(tmp_path_factory.mktemp("server"), sections=SECTIONS, environ=trusted) as started:
        yield started
        assert started.troubles() == []


@pytest.fixture(scope="module")
def site(server: Running) -> Generator[McpSite]:
    with mcp_site(server, open_to="registration") as started:
        yield started


def app(server: Running, site: McpSite, name: str, *redirect_uris: str) -> str:
    """A native app that the operator registers for the MCP server. Returns its id."""

    async def work(services: Services) -> str:
        made = await services.get(admin.apps).create(
            os_actor(),
            draft(name, "native", redirect_uris=redirect_uris),
            kind="native",
            access=[site.address],
        )
        return made.client.id

    return server.operate(work)


@pytest.fixture(scope="module")
def client_id(server: Running, site: McpSite) -> str:
    return app(server, site, "Assistant", CALLBACK, "http://127.0.0.1/oauth/callback")


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


@pytest.mark.requirement(1, 64, 65)
async def test_a_document_is_all_that_a_client_needs(
    server: Running, site: McpSite, publisher: AssistantSite
) -> None:
    """Field failure 90370: the document has no port, the request has one, and the host is a name. cloudflare/mcp#46: it has 6 KB."""
    document = f"{publisher.origin}/long.json"
    redirect = f"http://localhost:{free_port()}/callback"
    assistant = Assistant(site.address, server.person(), BOB, document=document, redirect=redirect)
    async with assistant.connected() as client:
        who = await client.call_tool("who_am_i")
        assert who.structured_content is not None
        assert who.structured_content["app"] == document
        # the page names who published the app, and the device to which the answer goes
        assert urlsplit(document).netloc in assistant.read[0]
        assert urlsplit(redirect).netloc in assistant.read[0]
        assert "on your own device" in assistant.read[0]
        assert not (await client.call_tool("place_order", {"item": "Doorbell"})).is_error
        assistant.expire()
        assert not (await client.call_tool("place_order", {"item": "Knocker"})).is_error
    assert len(assistant.asked) == 2
    # the document was not fetched for each of these requests
    assert publisher.calls.count("/long.json") == 1


@pytest.mark.requirement(1)
async def test_a_client_registers_itself(server: Running, site: McpSite) -> None:
    redirect = f"http://localhost:{free_port()}/callback"
    assistant = Assistant(site.address, server.person(), BOB, redirect=redirect)
    async with assistant.connected() as client:
        assert not (await client.call_tool("place_order", {"item": "Doorbell"})).is_error
        assistant.expire()
        assert not (await client.call_tool("list_orders")).is_error
    registered = assistant.kept.client
    assert registered is not None
    # it left the method out and lives on a device, so it keeps no secret
    assert (registered.token_endpoint_auth_method, registered.client_secret) == ("none", None)
    assert "on your own device" in assistant.read[0]


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


@pytest.mark.parametrize(
    "way", ["document", *(pytest.param(way, marks=pytest.mark.soak) for way in ("known", "registration"))]
)
def test_npms_sdk_signs_in_refreshes_and_steps_up(
    way: str,
    server: Running,
    site: McpSite,
    client_id: str,
    publisher: AssistantSite,
    node_peers: NodePeers,
) -> None:
    document = f"{publisher.origin}/assistant.json" if way == "document" else None
    task: dict[str, Any] = {
        "address": site.address,
        "redirect": CALLBACK if way == "known" else f"http://localhost:{free_port()}/callback",
        "document": document,
        "client": {"client_id": client_id} if way == "known" else None,
    }
    with SdkClient(node_peers, server.person(), BOB, **task) as assistant:
        assert assistant.do("connect") == {"connected": True}
        assert parse_qs(urlsplit(assistant.asked[0]).query)["scope"] == ["orders:read"]
        who = assistant.do("call", tool="who_am_i")["answer"]["app"]
        assert way == "registration" or who in {client_id, document}
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


@pytest.mark.parametrize(
    "way",
    [
        "registration",
        pytest.param("document", marks=pytest.mark.soak),
        pytest.param("known", marks=pytest.mark.soak),
    ],
)
def test_mcp_remote_signs_in(
    way: str,
    server: Running,
    site: McpSite,
    client_id: str,
    publisher: AssistantSite,
    node_peers: NodePeers,
    tmp_path: Path,
) -> None:
    port = str(free_port())
    publisher.redirect_uris = (*publisher.redirect_uris, f"http://localhost:{port}/oauth/callback")
    more = {
        "registration": (),
        "document": ("--client-metadata-url", f"{publisher.origin}/remote.json"),
        "known": (
            *("--host", "127.0.0.1"),
            *("--static-oauth-client-info", json.dumps({"client_id": client_id})),
        ),
    }[way]
    with Program(node_peers, MCP_REMOTE, site.address, port, *more, folder=tmp_path) as remote:
        about = {"name": "t", "version": "1"}
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about}
        remote.send({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello})
        asked = parse_qs(urlsplit(remote.approved_by(server.person())).query)
        assert "result" in remote.answer(1)
        remote.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        call = {"name": "who_am_i", "arguments": {}}
        remote.send({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call})
        assert remote.answer(2)["result"]["structuredContent"]["app"] == asked["client_id"][0], remote.text


@pytest.mark.requirement(65)
def test_the_conformance_tests_of_authorization_servers_pass(
    server: Running, site: McpSite, node_peers: NodePeers, tmp_path: Path
) -> None:
    known = app(server, site, "Conformance", "http://127.0.0.1/callback")
    arguments = ["authorization", "--url", server.issuer, "--client-id", known, "--resource", site.address]
    arguments += ["-p", str(free_port()), "-o", str(tmp_path / "results")]
    with Program(node_peers, CONFORMANCE, *arguments, folder=tmp_path) as suite:
        suite.approved_by(server.person())
        assert suite.status() == 0, suite.text
    verdicts = {
        check["id"]: check["status"]
        for path in (tmp_path / "results").rglob("checks.json")
        for check in json.loads(path.read_text())
    }
    wanted = {
        "authorization-server-metadata",
        "authorization-server-metadata-cimd",
        "authorization-code-grant",
    }
    assert wanted <= verdicts.keys()
    assert set(verdicts.values()) == {"SUCCESS"}, verdicts


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
