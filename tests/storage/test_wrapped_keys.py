"""Wrapped root secret: one root for each database, even with concurrent starts, and any number of wrappings."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from doorward.core.model.wrapped_key import WrappedKey
from doorward.storage.sql.store import Store
from tests.storage.samples import NOW

pytestmark = pytest.mark.anyio

FIRST = WrappedKey(id="root_1", kek="key:aa", wrapped=b"\x00\xff wrapped", created_at=NOW)


async def test_an_empty_database_has_no_root(store: Store) -> None:
    assert await store.wrapped_keys.root() is None


async def test_one_of_several_concurrent_starts_makes_the_root(store: Store, other: Store) -> None:
    stores = [store, other] * 8
    writes = [
        one.wrapped_keys.insert_root(replace(FIRST, id=f"root_{number}", kek=f"key:{number}"))
        for number, one in enumerate(stores)
    ]
    won = await asyncio.gather(*(one.commit(write) for one, write in zip(stores, writes, strict=True)))
    assert sum(won) == 1
    winner = won.index(True)
    found = await other.wrapped_keys.root()
    assert found is not None
    assert found[0] == f"root_{winner}"
    # the losing writes left nothing behind, under any id
    assert [one.kek for one in found[1]] == [f"key:{winner}"]
    assert await store.commit(store.wrapped_keys.put(replace(FIRST, id=f"root_{winner}", kek="key:new")))


async def test_several_wrappings_coexist_oldest_first(store: Store, other: Store) -> None:
    keys = store.wrapped_keys
    await store.commit(keys.insert_root(FIRST))
    second = replace(FIRST, kek="pkcs11:box/auth", wrapped=b"two", created_at=NOW + 1)
    third = replace(FIRST, kek="command:x", wrapped=b"three", created_at=NOW + 2)
    assert await store.commit(keys.put(third), keys.put(second))
    assert await other.wrapped_keys.root() == ("root_1", [FIRST, second, third])
    again = replace(FIRST, wrapped=b"anew", created_at=NOW + 3)
    assert await store.commit(keys.put(again))
    assert await other.wrapped_keys.root() == ("root_1", [second, third, again])


async def test_one_of_two_concurrent_removals_of_a_wrapping_loses(store: Store, other: Store) -> None:
    await store.commit(store.wrapped_keys.insert_root(FIRST))
    second = replace(FIRST, kek="key:bb", created_at=NOW + 1)
    drop = store.wrapped_keys.remove(FIRST)
    assert await store.commit(store.wrapped_keys.put(second), drop)
    assert not await other.commit(other.wrapped_keys.remove(FIRST))
    assert await other.wrapped_keys.root() == ("root_1", [second])
