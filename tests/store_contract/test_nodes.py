"""Is it known who answers from memory, and what each of them has seen?"""

from __future__ import annotations

import pytest

from doorward.model.catalog import Role
from doorward.ports.store import Store
from tests.store_contract.samples import NOW

pytestmark = pytest.mark.anyio


async def test_who_has_not_seen_the_newest_version_is_behind(store: Store, other: Store) -> None:
    first = await store.registry.version()
    assert await store.nodes.look("nod_a") == (first, None)
    assert await store.commit(store.nodes.saw("nod_a", first, NOW), store.nodes.saw("nod_b", first, NOW))
    assert await other.nodes.behind(first) == 0
    assert await other.commit(other.registry.put_role(Role("rol_1", "a", {}, NOW)))
    now = await store.registry.version()
    assert await store.nodes.look("nod_a") == (now, first)
    assert await other.nodes.behind(now) == 2
    assert await store.commit(store.nodes.saw("nod_a", now, NOW))
    assert await other.nodes.behind(now) == 1
    assert await store.commit(store.nodes.leave("nod_b"))
    assert await other.nodes.behind(now) == 0


async def test_a_node_of_which_nothing_is_heard_is_swept(store: Store) -> None:
    assert await store.commit(store.nodes.saw("nod_a", 0, NOW), store.nodes.saw("nod_b", 0, NOW + 100))
    while await store.sweep(NOW + 59):
        pass
    assert await store.nodes.behind(1) == 2
    while await store.sweep(NOW + 60):
        pass
    assert await store.nodes.behind(1) == 1


async def test_a_commit_that_others_wait_for_is_told(store: Store) -> None:
    told: list[int] = []
    store.on_change(lambda: told.append(len(told)))
    assert await store.commit(store.attempts.add("a", NOW, 60))
    assert told == []
    assert await store.commit(store.registry.put_role(Role("rol_1", "a", {}, NOW)))
    assert told == [0]
    assert not await store.commit(
        store.attempts.claim("s", "v", NOW),
        store.attempts.claim("s", "v", NOW),
        store.registry.delete_role("rol_1"),
    )
    assert told == [0]
