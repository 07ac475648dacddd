"""Apps that no operator registered: round trips, the guards of their writes, and their end."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from doorward.core.model.self_registered import KEPT, ClientDocument, InitialAccessToken, RegisteredApp
from doorward.storage.sql.store import Store
from tests.features import made
from tests.storage.samples import NOW, account, sha

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(61)]
URL = "https://app.example.com/client.json"


def app(name: str = "one", **changes: object) -> RegisteredApp:
    client = made.client(id=f"dcr_{name}", registered_by="app", native=True)
    values = {
        "id": client.id,
        "client": client,
        "token_hash": sha(name),
        "created_at": NOW,
        "expires_at": NOW + 100,
    }
    return RegisteredApp(**{**values, **changes})


def document(**changes: object) -> ClientDocument:
    values = {
        "url": URL,
        "client": made.client(id=URL, registered_by="document"),
        "fetched_at": NOW,
        "fresh_until": NOW + 300,
        "tried_at": NOW,
        "expires_at": NOW + 100,
    }
    return ClientDocument(**{**values, **changes})


async def test_a_registered_app_is_read_changed_disabled_and_deleted(store: Store) -> None:
    one, two = app(), app("two", initial_token_id="iat_x", used_at=NOW)
    apps = store.registered_apps
    assert await store.commit(apps.insert(one), apps.insert(two))
    assert await apps.get("dcr_one") == one
    assert list(await apps.page(limit=1)) == [one]
    assert list(await apps.page(after="dcr_one", limit=9)) == [two]
    assert await apps.count() == 2
    new = replace(one, client=replace(one.client, name="New"), token_hash=sha("next"))
    assert await store.commit(apps.update(one, new))
    assert await apps.get("dcr_one") == new
    assert not await store.commit(apps.update(one, new)), "the token was replaced"
    assert await store.commit(apps.replace(replace(new.client, access={})))
    assert await store.commit(apps.disable("dcr_one", NOW))
    assert not await store.commit(apps.disable("dcr_one", NOW))
    assert not await store.commit(apps.update(new, new)), "it is disabled"
    assert await store.commit(apps.enable("dcr_one"))
    assert not await store.commit(apps.enable("dcr_one"))
    assert await store.commit(apps.delete("dcr_one"))
    assert not await store.commit(apps.delete("dcr_one"))
    assert await apps.get("dcr_one") is None


async def test_a_document_keeps_what_the_operator_decided(store: Store) -> None:
    documents = store.client_documents
    assert await store.commit(documents.put(document()))
    assert await documents.get(URL) == document()
    newer = document(fetched_at=NOW + 9, fresh_until=NOW + 900, tried_at=NOW + 9, expires_at=NOW + 9_999)
    assert await store.commit(documents.put(newer))
    assert await documents.get(URL) == replace(newer, expires_at=NOW + 100), "only grants move its end on"
    assert await store.commit(documents.failed(URL, "it answered 500", NOW + 20))
    found = await documents.get(URL)
    assert found is not None
    assert (found.client, found.problem, found.tried_at) == (newer.client, "it answered 500", NOW + 20)
    assert await store.commit(documents.pin(URL, NOW + 30))
    assert not await store.commit(documents.pin(URL, NOW + 30))
    await store.commit(documents.put(document(client=made.client(id=URL, name="other"))))
    await store.commit(documents.failed(URL, "x", NOW + 40))
    assert await documents.get(URL) == replace(found, pinned_at=NOW + 30), "a pinned copy stays"
    assert await store.commit(documents.disable(URL, NOW + 50))
    assert await store.commit(documents.unpin(URL))
    assert not await store.commit(documents.unpin(URL))
    await store.sweep(NOW + 100_000)
    assert await documents.count() == 1, "what is disabled stays disabled"
    assert await store.commit(documents.enable(URL))
    await store.sweep(NOW + 100_000)
    assert await documents.count() == 0


@pytest.mark.parametrize("client_id", ["dcr_one", URL])
async def test_a_grant_keeps_its_app(store: Store, client_id: str) -> None:
    await store.commit(store.accounts.insert(account()))
    await store.commit(store.registered_apps.insert(app()), store.client_documents.put(document()))
    grant = made.grant(
        client_id=client_id, account_id="usr_ada", created_at=NOW + 5, expires_at=NOW + 1000, session_id=None
    )
    assert await store.commit(store.grants.insert(grant))
    await store.sweep(NOW + 100_000)
    app_row, document_row = await store.registered_apps.get("dcr_one"), await store.client_documents.get(URL)
    kept = app_row if client_id == "dcr_one" else document_row
    assert kept is not None
    assert (kept.used_at, kept.expires_at) == (NOW + 5, NOW + 1000 + KEPT)
    assert (app_row, document_row).count(None) == 1, "the other one was never used"


async def test_an_initial_access_token_is_used_as_often_as_it_says(store: Store) -> None:
    token = InitialAccessToken(
        id="iat_one", name="n", token_hash=sha("t"), created_at=NOW, expires_at=NOW + 100, most=2,
        redirect_hosts=("a.example", "localhost"), access={made.API: ("orders:read",)},
    )  # fmt: skip
    apps = store.registered_apps
    assert await store.commit(apps.insert_token(token))
    assert await apps.token(sha("t")) == token
    assert await apps.token(sha("x")) is None
    assert not await store.commit(apps.use_token("iat_one", NOW + 100)), "it has expired"
    assert await store.commit(apps.use_token("iat_one", NOW))
    assert await store.commit(apps.use_token("iat_one", NOW))
    assert not await store.commit(apps.use_token("iat_one", NOW))
    assert await store.commit(apps.set_token_access("iat_one", {}))
    assert list(await apps.tokens()) == [replace(token, used=2, access={})]
    assert await store.commit(apps.delete_token("iat_one"))
    assert not await store.commit(apps.delete_token("iat_one"))
