"""Administration of apps that no operator registered: what they hold ends, and documents are pinned."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from msgspec import structs

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Permission
from doorward.features.admin import build
from doorward.features.admin.error import AdminError
from doorward.features.admin.self_registered import SelfRegisteredAdmin
from doorward.features.clients.build import client_directory
from doorward.features.oauth.registration.settings import RegistrationPolicy
from doorward.features.oauth.tokens.rules import own_token
from doorward.features.revocations.build import revocation_view
from tests.coming_apps import PATH, app, at_consent, opened
from tests.document_host import DocumentHost, document_host
from tests.features import made
from tests.features.admin.managing import OPERATOR
from tests.features.oauth.grants.token_exchange import parties
from tests.front_channel import CALLER, Front, front_channel
from tests.tabs import said

pytestmark = pytest.mark.anyio


@pytest.fixture
async def host(tmp_path: Path) -> AsyncGenerator[DocumentHost]:
    async with document_host(tmp_path) as host:
        host.put(PATH, host.document(PATH))
        yield host


@pytest.fixture
async def front(host: DocumentHost) -> AsyncGenerator[Front]:
    async with front_channel(**host.settings(), registration=RegistrationPolicy(mode="token")) as front:
        await opened(front)
        yield front


def admin(front: Front) -> SelfRegisteredAdmin:
    return front.services.get(build.self_registered)


async def test_what_a_disabled_app_holds_ends_and_it_stays_out_until_it_is_enabled(
    front: Front, host: DocumentHost
) -> None:
    await front.person(role_names=("rol_reader",))
    client, tab = app(host), front.browser()
    code = said(await tab.submit(await at_consent(front, client, tab), "consent", decision="allow"))["code"]
    tokens = await front.redeem(client, code)
    disabled = await admin(front).disable(OPERATOR, client.id)
    assert disabled.disabled_at == front.now
    refreshed = await front.token(
        client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    )
    assert refreshed["error"] == "invalid_client"
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await tab.ask("GET", "/userinfo", **bearer)).status == 401
    assert (await tab.get(front.asking(client))).status == 400
    with pytest.raises(AdminError, match="app_disabled"):
        await admin(front).disable(OPERATOR, client.id)
    await admin(front).enable(OPERATOR, client.id)
    again = await front.token(
        client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    )
    assert again["error"] == "invalid_grant", "what it held stays ended"
    assert [one.kind for one in await front.audited("app.disabled")] == ["app.disabled"]
    assert "consent" in (await at_consent(front, client, tab)).forms


async def test_an_app_enabled_before_the_cleanup_gets_nothing_back(
    front: Front, host: DocumentHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many grants the commit ends some, and the cleanup the rest (docs/incidents/0095)."""
    monkeypatch.setattr("doorward.storage.sql.grants.SWEEP_ENDS", 1)
    await front.person(role_names=("rol_reader",))
    client = app(host)
    await at_consent(front, client, front.browser())
    for number in range(3):
        grant = made.grant(id=f"grt_{number}", client_id=client.id, session_id=None)
        assert await front.store.commit(front.store.grants.insert(grant))
    await admin(front).disable(OPERATOR, client.id)
    left = await front.store.grants.live_of_account("usr_ada", front.now)
    assert len(left) == 2, "nothing is left to the cleanup: the test would show nothing"
    await admin(front).enable(OPERATOR, client.id)
    assert not await front.store.grants.live_of_account("usr_ada", front.now)
    # and the cleanup ends nothing that the app gets from now on
    assert await front.store.commit(front.store.grants.insert(made.grant(id="grt_new", client_id=client.id)))
    await front.store.sweep(front.now)
    assert [one.id for one in await front.store.grants.live_of_account("usr_ada", front.now)] == ["grt_new"]


async def test_a_pinned_document_stays_whatever_its_host_says(front: Front, host: DocumentHost) -> None:
    url = host.url(PATH)
    pinned = await admin(front).pin(OPERATOR, url)
    assert (pinned.pinned_at, pinned.name) == (front.now, "Example Tool")
    host.put(PATH, host.document(PATH, client_name="Other"))
    front.clock.time += 30 * 86_400
    found = await front.services.get(client_directory).resolve(url, CALLER, front.now)
    assert isinstance(found, Client)
    assert found.name == "Example Tool"
    await admin(front).unpin(OPERATOR, url)
    found = await front.services.get(client_directory).resolve(url, CALLER, front.now)
    assert isinstance(found, Client)
    assert found.name == "Other"
    with pytest.raises(AdminError, match="document_refused"):
        await admin(front).pin(OPERATOR, host.url("/none.json"))


async def test_a_permission_that_goes_is_closed_and_taken_from_tokens_and_their_apps(front: Front) -> None:
    apis = front.services.get(build.apis)
    await admin(front).create_token(OPERATOR, "partners", access=["Orders:orders:read,orders:write"])
    with pytest.raises(AdminError, match="api_opens_nothing"):
        await apis.update(OPERATOR, made.API, lambda api: api, without=["orders:read"])
    await apis.update(OPERATOR, made.API, lambda api: api, without=["orders:write"])
    (token,) = await admin(front).find_tokens(OPERATOR)
    assert token.access == {made.API: ("orders:read",)}
    back = await apis.update(OPERATOR, made.API, lambda api: api, permissions=[Permission("orders:write")])
    assert back.open_permissions == ("orders:read",)
    assert (await admin(front).find_tokens(OPERATOR))[0].access == {made.API: ("orders:read",)}


async def test_what_its_api_exchanged_for_it_ends_with_the_app(front: Front, host: DocumentHost) -> None:
    """An MCP server calls the next API for an app that no operator registered."""
    await front.person(role_names=("rol_reader",))
    registry = front.store.registry
    orders = parties.orders()
    mine = structs.replace(front.services.config.current().apis[made.API], client_id=orders.id)
    await front.store.commit(
        registry.put_api(mine),
        registry.put_api(parties.api(parties.BILLING, "billing")),
        registry.put_role(structs.replace(parties.READER, id="rol_reader", key="rol_reader")),
    )
    await front.register(orders)
    client, tab = app(host), front.browser()
    code = said(await tab.submit(await at_consent(front, client, tab), "consent", decision="allow"))["code"]
    form = {
        "grant_type": parties.EXCHANGE,
        "subject_token": (await front.redeem(client, code))["access_token"],
        "subject_token_type": parties.ACCESS_TOKEN,
        "resource": parties.BILLING,
    }
    exchanged = await front.token(orders, form)
    assert exchanged["scope"] == "orders:read", exchanged
    await admin(front).disable(OPERATOR, client.id)
    view = await front.services.get(revocation_view).fresh(front.now)
    claims = own_token.claims(
        exchanged["access_token"],
        front.services.signer.keys(),
        issuer=made.ISSUER,
        now=front.now,
    )
    assert claims is not None
    assert view.revoked(claims) is not None
    assert (await front.token(orders, form))["error"] == "invalid_request"
