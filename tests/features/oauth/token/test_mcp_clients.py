"""What MCP clients send, from the authorization request to the refresh (MCP authorization 2026-07-28)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest
from msgspec import structs

from doorward.core.model.config_snapshot import Api, Permission, Role
from doorward.features.oauth.clients.rules.scope import OIDC_SCOPES
from tests.features import made
from tests.features.authn.test_toys import claims_of
from tests.front_channel import Front, front_channel
from tests.tabs import said, sent_to

pytestmark = pytest.mark.anyio
MCP = "https://mcp.example.com"
OTHER = "https://mcp.example.com/other"
ASSISTANT = made.public(
    id="app_assistant",
    name="Assistant",
    redirect_uris=("http://127.0.0.1/callback",),
    access={MCP: ("notes:read",), f"{OTHER}/": ("notes:read",)},
    oidc_scopes=("offline_access",),
)
CALLBACK = "http://127.0.0.1:33418/callback"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    """The server with two MCP servers: one whose identifier has no slash at its end, and one whose path has."""
    async with front_channel() as opened:
        registry = opened.store.registry
        permissions = (Permission("notes:read", "See your notes"),)
        role = Role("rol_notes", "notes", {MCP: ("notes:read",), f"{OTHER}/": ("notes:read",)}, made.NOW)
        assert await opened.store.commit(
            registry.put_api(Api("api_mcp", MCP, "Notes", permissions, made.NOW)),
            registry.put_api(Api("api_other", f"{OTHER}/", "Other notes", permissions, made.NOW)),
            registry.put_role(role),
        )
        await opened.register(ASSISTANT)
        await opened.person(role_names=("notes",))
        yield opened


async def signed_in(front: Front, resource: str, scope: str = "notes:read", **fields: str) -> dict[str, Any]:
    """The answer of the token endpoint after a sign-in for this resource."""
    tab = await front.signed_in()
    asked = front.asking(ASSISTANT, redirect_uri=CALLBACK, scope=scope, resource=resource, nonce=None)
    page = await tab.submit(await tab.on(await tab.get(asked)), "consent", decision="allow")
    form = {"redirect_uri": CALLBACK, "resource": resource, **fields}
    return await front.redeem(ASSISTANT, said(page)["code"], **form)


@pytest.mark.requirement(37)
@pytest.mark.parametrize("spelled", [f"{MCP}/", "https://MCP.example.com:443"])
async def test_a_root_address_is_one_resource_with_and_without_its_slash(front: Front, spelled: str) -> None:
    """vercel/ai#13988: clients that parse the address send it with a slash; `aud` is what the API compares with."""
    tokens = await signed_in(front, spelled)
    assert tokens["status"] == 200, tokens
    assert claims_of(tokens["access_token"])["aud"] == MCP
    renewed = await front.token(
        ASSISTANT,
        {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "resource": spelled},
    )
    assert renewed["status"] == 200, renewed
    assert claims_of(renewed["access_token"])["aud"] == MCP


async def test_a_slash_after_a_path_is_another_resource(front: Front) -> None:
    tab = await front.signed_in()
    asked = front.asking(ASSISTANT, redirect_uri=CALLBACK, scope="notes:read", resource=OTHER, nonce=None)
    assert said(await tab.get(asked))["error"] == "invalid_target"
    assert claims_of((await signed_in(front, f"{OTHER}/"))["access_token"])["aud"] == f"{OTHER}/"


async def test_a_refresh_token_needs_no_offline_access(front: Front) -> None:
    """medplum#9183: clients that do not know the scope would ask their people again every few minutes."""
    assert "refresh_token" in await signed_in(front, MCP)
    longer = await signed_in(front, MCP, "notes:read offline_access")
    assert longer["scope"] == "notes:read offline_access"
    assert "refresh_token" in longer


@pytest.mark.requirement(18)
async def test_sessions_that_share_one_refresh_token_survive_its_rotations(front: Front) -> None:
    """codex#27165: programs that share a keyring refresh one after the other with the same token."""
    shared = (await signed_in(front, MCP, "notes:read offline_access"))["refresh_token"]
    for _ in range(5):
        front.clock.time += 300
        answers: list[dict[str, Any]] = []
        for _session in range(3):
            form = {"grant_type": "refresh_token", "refresh_token": shared, "resource": MCP}
            answers.append(await front.token(ASSISTANT, form))
            front.clock.time += 15
        assert [answer["status"] for answer in answers] == [200, 200, 200], answers
        assert len({answer["refresh_token"] for answer in answers}) == 1
        shared = answers[0]["refresh_token"]


async def test_a_client_that_asks_for_more_is_told_once_at_its_own_address(front: Front) -> None:
    tab = await front.signed_in()
    for scope in ("notes:read notes:write", "notes:read admin"):
        answer = await tab.get(
            front.asking(ASSISTANT, redirect_uri=CALLBACK, scope=scope, resource=MCP, nonce=None)
        )
        assert sent_to(answer).startswith(CALLBACK)
        assert said(answer)["error"] == "invalid_scope"
        assert said(answer)["iss"] == made.ISSUER


async def test_a_client_that_asks_for_all_of_scopes_supported_is_answered(front: Front) -> None:
    """Clients ask for all scopes of the server where an MCP server names none, with those of the MCP server where it does."""
    document = msgspec.json.decode(
        (await front.browser().get("/.well-known/oauth-authorization-server")).text
    )
    every = [*document["scopes_supported"], "notes:read"]
    client = await front.register(
        structs.replace(ASSISTANT, id="app_eager", name="Eager", oidc_scopes=OIDC_SCOPES)
    )
    tab = await front.signed_in()
    for scope in (" ".join(every), " ".join(name for name in every if name != "openid")):
        asked = front.asking(
            client, redirect_uri=CALLBACK, scope=scope, resource=MCP, nonce=None, prompt="consent"
        )
        page = await tab.submit(await tab.on(await tab.get(asked)), "consent", decision="allow")
        tokens = await front.redeem(client, said(page)["code"], redirect_uri=CALLBACK, resource=MCP)
        assert "notes:read" in tokens["scope"].split(), tokens


@pytest.mark.parametrize("path", ["/token", "/revoke", "/userinfo", "/jwks"])
async def test_a_client_in_a_browser_reaches_what_it_needs(front: Front, path: str) -> None:
    """keycloak#43625: an inspector in a browser adds MCP-Protocol-Version to its requests."""
    asked = await front.browser().ask("OPTIONS", path)
    assert asked.header("access-control-allow-origin") == "*"
    assert "mcp-protocol-version" in (asked.header("access-control-allow-headers") or "")
    assert asked.header("access-control-allow-credentials") is None
