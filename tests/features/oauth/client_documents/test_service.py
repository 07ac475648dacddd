"""Client-ID metadata documents in the whole flow: found at every endpoint, kept while their host is down, and asked about each time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.features.clients.build import client_directory
from doorward.features.oauth.client_documents.service import PAUSE, STALE
from tests.coming_apps import PATH, app, at_consent, opened
from tests.document_host import CALLBACK, DocumentHost, document_host
from tests.front_channel import CALLER, Front, front_channel
from tests.tabs import said

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(64)]


@pytest.fixture
async def host(tmp_path: Path) -> AsyncGenerator[DocumentHost]:
    async with document_host(tmp_path) as host:
        host.put(PATH, host.document(PATH))
        yield host


@pytest.fixture
async def front(host: DocumentHost) -> AsyncGenerator[Front]:
    async with AsyncExitStack() as stack:
        front = await stack.enter_async_context(front_channel(**host.settings()))
        await opened(front)
        yield front


async def resolved(front: Front, url: str) -> Client | OAuthError:
    return await front.services.get(client_directory).resolve(url, CALLER, front.now)


async def test_a_person_signs_in_to_an_app_by_its_document_alone(front: Front, host: DocumentHost) -> None:
    await front.person(role_names=("rol_reader",))
    client, tab = app(host), front.browser()
    page = await at_consent(front, client, tab)
    assert "consent" in page.forms, page.words
    assert f"localhost:{host.port}" in page.words
    assert "app.example.net" in page.words
    answer = said(await tab.submit(page, "consent", decision="allow"))
    tokens = await front.redeem(client, answer["code"], redirect_uri=CALLBACK)
    assert tokens["status"] == 200, tokens
    assert tokens["scope"] == "openid orders:read"
    assert "refresh_token" in tokens
    assert host.asked == [PATH]


async def test_an_editor_with_a_document_may_have_its_scheme(front: Front, host: DocumentHost) -> None:
    uri = "cursor://anysphere.cursor-mcp/oauth/callback"
    host.put(PATH, host.document(PATH, redirect_uris=[uri]))
    await front.person(role_names=("rol_reader",))
    page = await at_consent(front, app(host, redirect_uris=(uri,)), front.browser())
    assert "opens cursor: links" in page.words


async def test_the_document_resolves_at_every_endpoint_that_sees_the_app(
    front: Front, host: DocumentHost
) -> None:
    await front.person(role_names=("rol_reader",))
    client, tab = app(host), front.browser()
    answer = said(await tab.submit(await at_consent(front, client, tab), "consent", decision="allow"))
    tokens = await front.redeem(client, answer["code"])
    # the host is gone, and the copy is old: the last good one serves the token endpoint and all others
    host.put(PATH, b"", status=503)
    front.clock.time += 90_000
    refreshed = await front.token(
        client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    )
    assert refreshed["status"] == 200, refreshed
    offline = said(
        await tab.submit(
            await at_consent(front, client, tab, scope="openid orders:read offline_access"),
            "consent",
            decision="allow",
        )
    )
    held = await front.redeem(client, offline["code"])
    assert held["status"] == 200, held
    again = await front.token(client, {"grant_type": "refresh_token", "refresh_token": held["refresh_token"]})
    assert again["status"] == 200, again
    bearer = {"authorization": f"Bearer {again['access_token']}"}
    assert (await tab.ask("GET", "/userinfo", **bearer)).status == 200
    apps = await tab.get("/account/apps")
    assert "Example Tool" in apps.words
    assert f"localhost:{host.port}" in apps.words
    assert "Example Tool" in (await tab.get("/account/activity")).words
    left = await tab.get(f"/logout?client_id={client.id}")
    assert left.status == 200
    revoked = await tab.ask("POST", "/revoke", form={"token": again["refresh_token"], "client_id": client.id})
    assert revoked.status == 200
    ended = await front.token(
        client, {"grant_type": "refresh_token", "refresh_token": again["refresh_token"]}
    )
    assert ended["error"] == "invalid_grant"


async def test_a_failed_fetch_is_named_on_the_page_and_in_the_log_and_never_kept(
    front: Front, host: DocumentHost, caplog: pytest.LogCaptureFixture
) -> None:
    """An acceptance line of MCP: a document behind a 403 is named."""
    url = host.put("/closed.json", b"no", status=403)
    page = await front.browser().get(front.asking(app(host, "/closed.json")))
    assert page.status == 400
    assert "it answered 403" in page.words
    assert await front.store.client_documents.get(url) is None
    host.put("/closed.json", host.document("/closed.json"))
    assert isinstance(await resolved(front, url), Client), "the failure was not kept"


async def test_the_last_good_copy_is_used_on_for_a_week_without_a_storm_of_calls(
    front: Front, host: DocumentHost
) -> None:
    url = host.url(PATH)
    good = await resolved(front, url)
    host.put(PATH, b"", status=500)
    front.clock.time += 4000
    for _ in range(3):
        assert await resolved(front, url) == good
    assert len(host.asked) == 2, "after a failure there is a pause"
    row = await front.store.client_documents.get(url)
    assert row is not None
    assert "500" in (row.problem or "")
    front.clock.time += PAUSE
    assert await resolved(front, url) == good
    assert len(host.asked) == 3
    front.clock.time += STALE
    assert isinstance(await resolved(front, url), OAuthError)


async def test_a_copy_is_kept_as_its_headers_say_within_bounds(front: Front, host: DocumentHost) -> None:
    url = host.put("/short.json", host.document("/short.json"), cache_control="max-age=1")
    assert isinstance(await resolved(front, url), Client)
    front.clock.time += 299
    await resolved(front, url)
    assert host.asked == ["/short.json"]
    front.clock.time += 2
    await resolved(front, url)
    assert host.asked == ["/short.json"] * 2


async def test_callers_at_once_share_one_call(front: Front, host: DocumentHost) -> None:
    host.go.clear()
    waiting = [asyncio.create_task(resolved(front, host.url(PATH))) for _ in range(20)]
    while not host.asked:
        await asyncio.sleep(0.01)
    waiting[0].cancel()
    host.go.set()
    found = await asyncio.gather(*waiting[1:])
    assert all(isinstance(one, Client) for one in found)
    assert host.asked == [PATH]


async def test_a_6_kb_document_works_and_a_17_kb_one_does_not(front: Front, host: DocumentHost) -> None:
    """cloudflare/mcp#46"""
    big = host.put("/big.json", host.document("/big.json", more="x" * 6000))
    assert isinstance(await resolved(front, big), Client)
    huge = host.put("/huge.json", host.document("/huge.json", more="x" * 17_000))
    assert isinstance(await resolved(front, huge), OAuthError)


async def test_an_app_with_keys_at_its_jwks_uri(front: Front, host: DocumentHost) -> None:
    keys = {"keys": [front.services.signer.jwks()["keys"][0]]}
    uri = host.put("/keys.json", keys)
    url = host.put(
        "/keyed.json",
        host.document("/keyed.json", token_endpoint_auth_method="private_key_jwt", jwks_uri=uri),
    )
    client = await resolved(front, url)
    assert isinstance(client, Client), client
    assert client.auth_method == "private_key_jwt"
    assert client.jwks == keys
    assert host.asked == ["/keyed.json", "/keys.json"]
    host.put("/keys.json", b"", status=404)
    front.clock.time += 4000
    assert await resolved(front, url) == client, "the last good copy has the last good keys"


async def test_documents_of_other_hosts_and_unpinned_ones_are_refused(
    tmp_path: Path, host: DocumentHost
) -> None:
    async with front_channel(**host.settings(hosts=("app.example.com",))) as front:
        assert isinstance(await resolved(front, host.url(PATH)), OAuthError)
    async with front_channel(**host.settings(accept="pinned")) as front:
        assert isinstance(await resolved(front, host.url(PATH)), OAuthError)
    async with front_channel(**host.settings(accept="none")) as front:
        assert isinstance(await resolved(front, host.url(PATH)), OAuthError)
    assert host.asked == []
