"""What `doorward doctor` says about apps that come by themselves."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from msgspec import structs

from doorward.core.model.finding import Finding
from doorward.core.model.section import Section, Sections
from doorward.core.model.self_registered import ClientDocument
from doorward.features.feature import Examined
from doorward.features.oauth.client_documents.settings import ClientDocumentPolicy
from doorward.features.oauth.registration.examine import apps_by_themselves
from doorward.features.oauth.registration.settings import RegistrationPolicy
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.database import open_sqlite
from tests.features import made

pytestmark = pytest.mark.anyio
URL = "https://app.example.com/client.json"
OFF, ON = ClientDocumentPolicy(), ClientDocumentPolicy(accept="any", most=2)


@pytest.fixture
async def store() -> AsyncGenerator[Store]:
    store = await open_sqlite(":memory:")
    yield store
    await store.close()


async def look(store: Store, *sections: Section) -> Finding | None:
    found = Sections([RegistrationPolicy(), OFF, *sections])
    return await apps_by_themselves(Examined(store=store, sections=found, issuer=made.ISSUER, now=made.NOW))


async def test_what_is_found(store: Store) -> None:
    assert await look(store) is None
    on = await look(store, ON)
    assert on is not None
    assert (on.ok, on.fix) == (True, "")
    api = made.config().apis[made.API]
    opened = structs.replace(api, open_to="documents", open_permissions=("orders:read",))
    await store.commit(store.registry.put_api(opened))
    unheard = await look(store)
    assert unheard is not None
    assert "none are accepted" in unheard.said
    document = ClientDocument(
        url=URL,
        client=made.client(id=URL),
        fetched_at=1,
        fresh_until=2,
        tried_at=3,
        expires_at=4,
        problem="x",
    )
    await store.commit(store.client_documents.put(document))
    broken = await look(store, ON)
    assert broken is not None
    assert URL in broken.said
    await store.commit(store.client_documents.put(structs.replace(document, url=URL + "2", problem=None)))
    full = await look(store, ON)
    assert full is not None
    assert "2 of 2" in full.said
