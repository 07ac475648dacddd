"""Attacks with client-ID documents: other machines called through this server, and a document that changes between the steps."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.features.clients.build import client_directory
from doorward.features.oauth.client_documents.rules.budget import PER_HOST, PER_NETWORK
from tests.coming_apps import PATH, app, at_consent, opened
from tests.document_host import CALLBACK, DocumentHost, document_host
from tests.front_channel import CALLER, Front, front_channel
from tests.tabs import said

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(63, 64)]
EVIL = "https://evil.example/callback"


@pytest.fixture
async def host(tmp_path: Path) -> AsyncGenerator[DocumentHost]:
    async with document_host(tmp_path) as host:
        host.put(PATH, host.document(PATH))
        yield host


@pytest.fixture
async def front(host: DocumentHost) -> AsyncGenerator[Front]:
    async with front_channel(**host.settings()) as front:
        await opened(front)
        yield front


async def refused(front: Front, url: str) -> OAuthError:
    found = await front.services.get(client_directory).resolve(url, CALLER, front.now)
    assert isinstance(found, OAuthError), found
    return found


async def test_a_document_leads_to_no_machine_that_is_not_public(front: Front, host: DocumentHost) -> None:
    """The same host is allowed by its name. By its address nobody has named it."""
    for url in (
        f"https://127.0.0.1:{host.port}{PATH}",
        f"https://[::1]:{host.port}{PATH}",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/client.json",
        "https://[::ffff:127.0.0.1]/client.json",
        "https://2130706433/client.json",
    ):
        page = await front.browser().get(front.asking(app(host), client_id=url))
        assert page.status == 400
        assert "169.254" not in (await refused(front, url)).description
    assert host.asked == []
    assert await front.store.client_documents.count() == 0


async def test_neither_keys_nor_a_redirect_nor_a_logo_lead_elsewhere(
    front: Front, host: DocumentHost
) -> None:
    inner = f"https://127.0.0.1:{host.port}/keys.json"
    keyed = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": inner}
    await refused(front, host.put("/keyed.json", host.document("/keyed.json", **keyed)))
    await refused(front, host.put("/moved.json", b"", status=302, location=host.url(PATH)))
    logo = host.put(
        "/logo.json", host.document("/logo.json", logo_uri=host.url("/logo.png"), client_uri=inner)
    )
    page = await front.browser().get(front.asking(app(host, "/logo.json")))
    assert page.status == 303
    assert await front.store.client_documents.get(logo) is not None
    assert host.asked == ["/keyed.json", "/moved.json", "/logo.json"]


@pytest.mark.requirement(93)
async def test_nobody_uses_this_server_to_call_a_host_often(front: Front, host: DocumentHost) -> None:
    for number in range(PER_NETWORK + 5):
        await refused(front, host.url(f"/x{number}"))
    assert len(host.asked) == PER_NETWORK
    for number in range(PER_HOST):
        await front.browser(f"198.51.100.{number}").get(front.asking(app(host, f"/y{number}")))
    assert len(host.asked) == PER_HOST, "from any network"
    # a document of which there is a copy goes on
    front.clock.time += 1000
    directory = front.services.get(client_directory)
    assert isinstance(await directory.resolve(host.url(PATH), CALLER, front.now), Client)


async def test_a_document_that_changes_its_addresses_after_consent_gains_nothing(
    front: Front, host: DocumentHost
) -> None:
    await front.person(role_names=("rol_reader",))
    client, tab = app(host), front.browser()
    shown = await at_consent(front, client, tab)
    assert "app.example.net" in shown.words
    # the code goes to the address that the page showed, and is worth nothing at another one
    code = said(await tab.submit(shown, "consent", decision="allow"))["code"]
    host.put(PATH, host.document(PATH, redirect_uris=[EVIL]))
    front.clock.time += 30
    stolen = await front.redeem(client, code, redirect_uri=EVIL)
    assert (stolen["status"], stolen["error"]) == (400, "invalid_grant")
    # the new address is asked about again, by its name, although the app was allowed before
    front.clock.time += 4000
    evil = app(host, redirect_uris=(EVIL,))
    again = await at_consent(front, evil, tab)
    assert "consent" in again.forms, again.words
    assert "evil.example" in again.words
    changed = await front.audited("client_document.changed")
    assert [event.detail["changed"] for event in changed] == [["redirect_uris"]]
    # and the old one is refused on a page
    gone = await tab.get(front.asking(client))
    assert gone.status == 400


async def test_a_page_that_asks_for_consent_gives_no_code_to_an_address_that_was_removed_meanwhile(
    front: Front, host: DocumentHost
) -> None:
    await front.person(role_names=("rol_reader",))
    client, tab = app(host), front.browser()
    shown = await at_consent(front, client, tab)
    host.put(PATH, host.document(PATH, redirect_uris=[EVIL]))
    front.clock.time += 1500
    front.clock.time += 2500
    await front.services.get(client_directory).resolve(client.id, CALLER, front.now)
    answer = await tab.submit(shown, "consent", decision="allow")
    assert CALLBACK not in answer.text
    assert "code=" not in answer.text
    assert await front.store.grants.live_of_account("usr_ada", front.now) == []
