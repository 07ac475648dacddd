"""Registry of processes that answer from memory, and of the versions that they have loaded."""

from __future__ import annotations

import pytest

from doorward.core.model.config_snapshot import Role
from doorward.storage.sql.store import Store
from tests.storage.samples import NOW

pytestmark = pytest.mark.anyio
LATER = NOW + 10**9


async def test_a_node_without_the_newest_version_is_behind(store: Store, other: Store) -> None:
    first = await store.registry.version()
    assert await store.nodes.look("nod_a") == (first, None)
    assert await store.commit(
        store.nodes.acknowledge("nod_a", first, NOW), store.nodes.acknowledge("nod_b", first, NOW)
    )
    assert await other.nodes.behind(first) == 0
    assert await other.commit(other.registry.put_role(Role("rol_1", "a", {}, NOW)))
    now = await store.registry.version()
    assert await store.nodes.look("nod_a") == (now, first)
    assert await other.nodes.behind(now) == 2
    assert await store.commit(store.nodes.acknowledge("nod_a", now, NOW))
    assert await other.nodes.behind(now) == 1
    assert await store.commit(store.nodes.leave("nod_b"))
    assert await other.nodes.behind(now) == 0


async def test_a_suspect_node_is_unregistered_and_waited_for_until_it_reports(
    store: Store, other: Store
) -> None:
    for one in ("nod_a", "nod_b"):
        assert await store.commit(store.nodes.acknowledge(one, 3, NOW))
    assert await store.commit(store.nodes.acknowledge("nod_new", 4, NOW))
    assert await other.commit(other.nodes.mark_suspect("m1", behind=4, silent_at=-1, not_before=LATER))
    assert await store.nodes.behind(4) == 2
    assert (await store.nodes.look("nod_a"))[1] is None
    assert (await store.nodes.look("nod_new"))[1] == 4
    suspects = await store.nodes.suspects()
    assert [one.rpartition(" ")[2] for one in suspects] == ["nod_a", "nod_b"]
    # a suspect is not marked again
    assert await store.commit(store.nodes.mark_suspect("m2", behind=4, silent_at=NOW, not_before=LATER))
    assert await other.nodes.suspects() == suspects
    # a report deletes only the marks of its own node
    assert await store.commit(store.nodes.acknowledge("nod_a", 4, NOW))
    assert (await store.nodes.look("nod_a"))[1] == 4
    assert [one.rpartition(" ")[2] for one in await other.nodes.suspects()] == ["nod_b"]
    assert await store.nodes.behind(4) == 1
    assert await other.commit(other.nodes.leave(suspects[1]))
    assert await store.nodes.behind(4) == 0


async def test_a_silent_node_is_marked_and_not_swept(store: Store) -> None:
    assert await store.commit(store.nodes.acknowledge("nod_a", 0, NOW))
    assert await store.commit(store.nodes.acknowledge("nod_b", 0, NOW + 100))
    while await store.sweep(NOW + 10_000_000):
        pass
    assert await store.nodes.behind(1) == 2
    assert await store.nodes.heard_of_by() == NOW + 100
    assert await store.commit(store.nodes.mark_suspect("m", behind=-1, silent_at=NOW + 1, not_before=LATER))
    assert [one.rpartition(" ")[2] for one in await store.nodes.suspects()] == ["nod_a"]
    # and a node that promises its next report in the far future, as only a wrong clock does
    assert await store.commit(
        store.nodes.mark_suspect("n", behind=-1, silent_at=NOW + 1, not_before=NOW + 99)
    )
    assert len(await store.nodes.suspects()) == 2
    assert await store.nodes.heard_of_by() is None


async def test_on_change_is_called_for_commits_that_others_wait_for(store: Store) -> None:
    told: list[int] = []
    store.on_change(lambda: told.append(len(told)))
    assert await store.commit(store.attempts.add("a", NOW, 60))
    assert told == []
    assert await store.commit(store.registry.put_role(Role("rol_1", "a", {}, NOW)))
    assert told == [0]
    assert not await store.commit(
        store.replay_cache.claim("s", "v", NOW),
        store.replay_cache.claim("s", "v", NOW),
        store.registry.delete_role("rol_1"),
    )
    assert told == [0]
