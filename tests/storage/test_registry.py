"""Configuration in SQL: one snapshot, whose version shows every change."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from doorward.core.errors import StoreConflict
from doorward.core.model.config_snapshot import ConfigSnapshot, KeyState
from doorward.storage.sql.store import Store
from tests.storage.samples import NOW, api, client, key, role

pytestmark = pytest.mark.anyio


async def test_the_configuration_is_read_as_it_was_written(store: Store) -> None:
    before = await store.registry.version()
    assert await store.registry.load() == ConfigSnapshot(version=before)
    public = client("spa", auth_method="none", secrets=(), jwks=None, first_party=True, access_token_ttl=60)
    assert await store.commit(
        store.registry.put_client(client()),
        store.registry.put_client(public),
        store.registry.put_api(api()),
        store.registry.put_role(role()),
        store.registry.insert_key(key()),
    )
    found = await store.registry.load()
    assert found == ConfigSnapshot(
        version=await store.registry.version(),
        clients={"app_shop": client(), "app_spa": public},
        apis={"https://orders.example": api()},
        roles={"buyer": role()},
        keys=(key(),),
    )
    assert found.version > before


async def test_every_change_increments_the_version(store: Store) -> None:
    registry = store.registry
    changes = [
        registry.put_client(client()),
        registry.put_client(client(name="Shop 2")),
        registry.put_api(api()),
        registry.put_api(api(client_id="app_shop")),
        registry.put_role(role()),
        registry.put_role(role(default=False)),
        registry.insert_key(key()),
        registry.move_key("key_one", "current", "previous", NOW),
        registry.delete_client("app_shop"),
        registry.delete_api("api_orders"),
        registry.delete_role("rol_buyer"),
    ]
    versions = [await registry.version()]
    for change in changes:
        assert await store.commit(change)
        versions.append(await registry.version())
    assert versions == sorted(set(versions))
    loaded = await registry.load()
    assert (loaded.clients, loaded.apis, loaded.roles) == ({}, {}, {})


async def test_a_lost_change_does_not_increment_the_version(store: Store) -> None:
    before = await store.registry.version()
    assert not await store.commit(store.registry.move_key("key_none", "next", "current", NOW))
    assert await store.registry.version() == before


async def test_a_decision_on_a_snapshot_is_committed_only_on_that_snapshot(
    store: Store, other: Store
) -> None:
    seen = await store.registry.version()
    assert await store.commit(store.registry.unchanged(seen))
    assert await store.registry.version() == seen
    # a change of another kind counts too: if two callers read the same app, one must read again after the other's write
    await other.commit(other.registry.insert_key(key()))
    mine = store.registry.put_client(client(name="decided on what was"))
    assert not await store.commit(store.registry.unchanged(seen), mine)
    assert (await store.registry.load()).clients == {}
    seen = await store.registry.version()
    names = [f"Shop {number}" for number in range(16)]
    won = await asyncio.gather(
        *(
            one.commit(one.registry.unchanged(seen), one.registry.put_client(client(name=name)))
            for one, name in zip([store, other] * 8, names, strict=True)
        )
    )
    assert sum(won) == 1
    assert (await store.registry.load()).clients["app_shop"].name == names[won.index(True)]


async def test_another_store_sees_the_change(store: Store, other: Store) -> None:
    await store.commit(store.registry.put_client(client()))
    assert await other.registry.version() == await store.registry.version()
    assert (await other.registry.load()).clients == {"app_shop": client()}


async def test_an_identifier_belongs_to_one_api_and_a_name_to_one_role(store: Store) -> None:
    await store.commit(store.registry.put_api(api()), store.registry.put_role(role()))
    with pytest.raises(StoreConflict):
        await store.commit(store.registry.put_api(api(id="api_second")))
    with pytest.raises(StoreConflict):
        await store.commit(store.registry.put_role(role(id="rol_second")))
    loaded = await store.registry.load()
    assert [one.id for one in (*loaded.apis.values(), *loaded.roles.values())] == ["api_orders", "rol_buyer"]


async def test_two_concurrent_first_starts_make_one_current_key(store: Store, other: Store) -> None:
    assert await store.commit(store.registry.insert_key(key("one")))
    assert not await other.commit(other.registry.insert_key(key("two")))
    assert await other.commit(other.registry.insert_key(key("rsa", alg="RS256")))
    assert await other.commit(other.registry.insert_key(key("next", state="next")))
    assert {k.id for k in (await store.registry.load()).keys} == {"key_one", "key_rsa", "key_next"}


async def test_two_nodes_without_a_next_key_make_one(store: Store, other: Store) -> None:
    assert await store.commit(store.registry.insert_key(key("one", state="next")))
    assert not await other.commit(other.registry.insert_key(key("two", state="next")))
    assert await other.commit(other.registry.insert_key(key("rsa", state="next", alg="RS256")))
    assert {k.id for k in (await store.registry.load()).keys} == {"key_one", "key_rsa"}


async def test_a_key_remembers_the_longest_life_of_its_tokens(store: Store) -> None:
    registry = store.registry
    await store.commit(registry.insert_key(key(token_life=300)))
    for life, remembered in ((3600, 3600), (60, 3600), (7200, 7200)):
        assert await store.commit(registry.lengthen_key("key_one", life))
        assert [k.token_life for k in (await registry.load()).keys] == [remembered]


@pytest.mark.requirement(52)
async def test_a_key_changes_state_once_and_records_the_time(store: Store) -> None:
    registry = store.registry
    await store.commit(registry.insert_key(key("old")), registry.insert_key(key("new", state="next")))
    rotation = (
        registry.move_key("key_old", "current", "previous", NOW + 5),
        registry.move_key("key_new", "next", "current", NOW + 5),
    )
    assert await store.commit(*rotation)
    assert not await store.commit(*rotation)
    moved = {
        "key_old": replace(key("old"), state="previous", retired_at=NOW + 5),
        "key_new": replace(key("new"), activated_at=NOW + 5),
    }
    assert {k.id: k for k in (await registry.load()).keys} == moved
    # the time at which it left service is kept through later states
    ways: list[tuple[KeyState, KeyState]] = [("previous", "retired"), ("retired", "revoked")]
    for before, after in ways:
        assert await store.commit(registry.move_key("key_old", before, after, NOW + 9))
        left = next(k for k in (await registry.load()).keys if k.id == "key_old")
        assert (left.state, left.retired_at) == (after, NOW + 5)
    assert await store.commit(registry.move_key("key_new", "current", "revoked", NOW + 10))
    assert {k.id: k.retired_at for k in (await registry.load()).keys} == {
        "key_old": NOW + 5,
        "key_new": NOW + 10,
    }
