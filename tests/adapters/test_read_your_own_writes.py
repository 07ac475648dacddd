"""Confirmed changes are visible on every node, and no node answers from a snapshot beyond its lease."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import pytest

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import SnapshotSigner
from doorward.cluster.change_notifier import ChangeNotifiers
from doorward.cluster.config_snapshot import ConfigSnapshotWatcher
from doorward.cluster.node_registry import LEASE
from doorward.core.errors import StoreUnavailable
from doorward.core.model.config_snapshot import Role
from doorward.storage.sql.store import Store, Write
from doorward.storage.sqlite.database import open_sqlite
from tests.manual_clock import ManualClock
from tests.waiting import PATIENCE, keeps_async, until_async

pytestmark = pytest.mark.anyio
SEALER = KeyedSealer(b"k" * 32)
NODES = 3


@dataclass
class Passing:
    """Time controlled by a test."""

    seconds: float = 0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Cut:
    """A database access that can be cut; the rest is the store's own."""

    store: Store
    cut: bool = False
    asked: int = 0
    nodes: Cut = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = self

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)

    async def look(self, node_id: str) -> tuple[int, int | None]:
        self.asked += 1
        if self.cut:
            raise StoreUnavailable("cut")
        return await self.store.nodes.look(node_id)

    def acknowledge(self, node_id: str, version: int, expires_at: int) -> object:
        return self.store.nodes.acknowledge(node_id, version, expires_at)

    def leave(self, node_id: str) -> object:
        return self.store.nodes.leave(node_id)


def source(
    store: object, *, passed: Passing | None = None, notifier: ChangeNotifiers | None = None
) -> ConfigSnapshotWatcher:
    signer = SnapshotSigner(issuer="https://a.example", sealer=SEALER)
    more = {} if passed is None else {"passed": passed}
    return ConfigSnapshotWatcher(store=store, signer=signer, notifier=notifier, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def answering(path: Path, count: int = NODES) -> AsyncGenerator[list[ConfigSnapshotWatcher]]:
    stores = [await open_sqlite(path) for _ in range(count)]
    nodes = [source(store) for store in stores]
    tasks: list[asyncio.Task[None]] = []
    for number, node in enumerate(nodes):
        await node.join(f"nod_{number}", ManualClock())
        tasks.append(asyncio.create_task(node.watch()))
    try:
        yield nodes
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for node, store in zip(nodes, stores, strict=True):
            await node.leave()
            await store.close()


async def test_a_confirmed_change_is_visible_to_the_next_request_on_any_node(tmp_path: Path) -> None:
    command_store = await open_sqlite(tmp_path / "a.db")
    command = source(command_store)
    waits: list[float] = []
    async with answering(tmp_path / "a.db") as nodes:
        for number in range(10):
            role = Role("rol_1", f"role {number}", {}, 1)
            assert await command_store.commit(command_store.registry.put_role(role))
            began = perf_counter()
            await command.settle()
            waits.append(perf_counter() - began)
            assert [list(node.current().roles) for node in nodes] == [[f"role {number}"]] * NODES
    assert sorted(waits)[5] < LEASE / 2
    # the nodes have left: nothing to wait for
    began = perf_counter()
    assert await command_store.commit(command_store.registry.delete_role("rol_1"))
    await command.settle()
    assert perf_counter() - began < LEASE
    await command_store.close()


async def test_a_change_waits_for_a_paused_node_until_its_lease_expires(tmp_path: Path) -> None:
    files = itertools.count()
    await keeps_async(LEASE + 0.5, lambda: held_up(tmp_path / f"{next(files)}.db"))


async def held_up(path: Path) -> float:
    """The seconds that a command waits for a node that does not look."""
    store, command_store = await open_sqlite(path), await open_sqlite(path)
    node, command = source(store), source(command_store)
    await node.join("nod_1", ManualClock())  # and never looks again
    assert await command_store.commit(command_store.registry.put_role(Role("rol_1", "a", {}, 1)))
    began = perf_counter()
    await command.settle()
    took = perf_counter() - began
    assert took >= LEASE
    with pytest.raises(StoreUnavailable):
        node.current()
    # the next request queries the database, and continues
    await node.catch_up()
    assert "a" in node.current().roles
    await store.close()
    await command_store.close()
    return took


async def test_without_the_database_no_node_answers_from_memory_beyond_its_lease(
    tmp_path: Path,
) -> None:
    store, passed = await open_sqlite(tmp_path / "a.db"), Passing()
    way = Cut(store)
    node = source(way, passed=passed)
    await node.join("nod_1", ManualClock())
    way.cut = True
    passed.seconds += LEASE - 0.01
    assert node.current() is not None
    passed.seconds += 0.01
    assert node.stale
    await node.catch_up()
    with pytest.raises(StoreUnavailable):
        node.current()
    # the next request is refused at once, without a query
    asked = way.asked
    for _ in range(5):
        await node.catch_up()
    assert way.asked == asked
    way.cut = False
    passed.seconds += LEASE
    await node.catch_up()
    assert node.current() is not None
    await store.close()


async def test_concurrent_requests_with_a_stale_snapshot_query_once(tmp_path: Path) -> None:
    store, passed = await open_sqlite(tmp_path / "a.db"), Passing()
    way = Cut(store)
    node = source(way, passed=passed)
    await node.join("nod_1", ManualClock())
    passed.seconds += 100
    await asyncio.gather(*(node.catch_up() for _ in range(50)))
    assert way.asked <= 2
    assert not node.stale
    await store.close()


async def test_a_change_waits_for_a_dead_process_only_once(tmp_path: Path) -> None:
    store = await open_sqlite(tmp_path / "a.db")
    await source(store).join("nod_dead", ManualClock())
    command = source(store)
    waits: list[float] = []
    for number in range(3):
        assert await store.commit(store.registry.put_role(Role("rol_1", f"{number}", {}, 1)))
        began = perf_counter()
        await command.settle()
        waits.append(perf_counter() - began)
    assert LEASE <= waits[0] < LEASE + 0.6
    assert max(waits[1:]) < LEASE / 4
    await store.close()


async def test_a_suspended_node_that_was_removed_registers_before_it_answers_again(tmp_path: Path) -> None:
    """Its row is gone; so it must register, and load once more, before it trusts its snapshot."""
    store, command_store = await open_sqlite(tmp_path / "a.db"), await open_sqlite(tmp_path / "a.db")
    node, command = source(store), source(command_store)
    await node.join("nod_1", ManualClock())  # and is suspended
    assert await command_store.commit(command_store.registry.put_role(Role("rol_1", "a", {}, 1)))
    await command.settle()
    assert (await store.nodes.look("nod_1"))[1] is None
    assert node.stale
    await node.catch_up()
    assert "a" in node.current().roles
    # after it resumes, changes wait for it again
    assert await command_store.commit(command_store.registry.delete_role("rol_1"))
    began = perf_counter()
    await command.settle()
    assert perf_counter() - began >= LEASE
    with pytest.raises(StoreUnavailable):
        node.current()
    await store.close()
    await command_store.close()


async def test_a_node_that_registers_misses_no_change_confirmed_meanwhile(tmp_path: Path) -> None:
    """Between its query and its registration another process committed a change, found no node to wait for, and
    confirmed it."""
    store, command_store = await open_sqlite(tmp_path / "a.db"), await open_sqlite(tmp_path / "a.db")
    command = source(command_store)

    class Meanwhile(Cut):
        changed = False

        def acknowledge(self, node_id: str, version: int, expires_at: int) -> object:
            if not self.changed:
                self.changed = True
                asyncio.get_running_loop().create_task(hurry())
            return super().acknowledge(node_id, version, expires_at)

        async def commit(self, *writes: Write) -> bool:
            await done.wait()
            return await self.store.commit(*writes)

    done = asyncio.Event()

    async def hurry() -> None:
        assert await command_store.commit(command_store.registry.put_role(Role("rol_1", "a", {}, 1)))
        began = perf_counter()
        await command.settle()
        assert perf_counter() - began < LEASE, "there was no node to wait for"
        done.set()

    node = source(Meanwhile(store))
    async with asyncio.timeout(PATIENCE):
        await node.join("nod_1", ManualClock())
    assert "a" in node.current().roles
    await store.close()
    await command_store.close()


async def test_a_live_process_with_a_wrong_clock_is_not_taken_for_dead(tmp_path: Path) -> None:
    """A day behind, it is suspect by every clock, registers again, and changes wait for it as before."""
    slow = ManualClock()
    slow.time -= 86_400
    store, sweeper_store = await open_sqlite(tmp_path / "a.db"), await open_sqlite(tmp_path / "a.db")
    node, sweeper = source(store), source(sweeper_store)
    await node.join("nod_slow", slow)
    await source(store).join("nod_dead", slow)
    await sweeper.join("nod_sweeper", ManualClock())
    tasks = [asyncio.create_task(one.watch()) for one in (node, sweeper)]
    for _ in range(2):
        await sweeper.forget_the_dead()
        assert (await store.nodes.look("nod_slow"))[1] is not None
    assert (await store.nodes.look("nod_dead"))[1] is None
    assert await store.nodes.suspects() == []
    assert not node.stale
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.close()
    await sweeper_store.close()


async def test_a_database_that_cannot_commit_does_not_end_the_lease(tmp_path: Path) -> None:
    """As when a synchronous standby is gone: reads are trusted, and only our registration waits."""
    store, other = await open_sqlite(tmp_path / "a.db"), await open_sqlite(tmp_path / "a.db")

    class Hanging(Cut):
        hangs = False

        async def commit(self, *writes: Write) -> bool:
            if self.hangs:
                await asyncio.Event().wait()
            return await self.store.commit(*writes)

    way = Hanging(store)
    node = source(way)
    await node.join("nod_1", ManualClock())
    watching = asyncio.create_task(node.watch())
    way.hangs = True
    assert await other.commit(other.registry.put_role(Role("rol_1", "a", {}, 1)))
    until = perf_counter() + 2 * LEASE
    while perf_counter() < until:
        await asyncio.sleep(0.05)
        assert not node.stale
    assert "a" in node.current().roles
    watching.cancel()
    way.hangs = False
    async with asyncio.timeout(PATIENCE):
        await node.leave()
    await store.close()
    await other.close()


async def test_a_removed_node_registers_before_it_answers_again(tmp_path: Path) -> None:
    store, passed = await open_sqlite(tmp_path / "a.db"), Passing()
    node = source(store, passed=passed)
    await node.join("nod_1", ManualClock())
    assert await store.commit(store.nodes.leave("nod_1"))
    passed.seconds += LEASE
    await node.catch_up()
    assert not node.stale
    assert await store.nodes.look("nod_1") == (node.current().version, node.current().version)
    await store.close()


async def test_a_notification_causes_a_query_at_once_and_a_burst_only_a_few(tmp_path: Path) -> None:
    store = await open_sqlite(tmp_path / "a.db")
    notifiers = ChangeNotifiers()
    store.on_change(notifiers.changed)
    way = Cut(store)
    node = source(way, notifier=notifiers)
    node_slow = ConfigSnapshotWatcher(
        store=store,
        signer=SnapshotSigner(issuer="https://a.example", sealer=SEALER),
        interval=30,
        notifier=notifiers,
    )
    await node.join("nod_1", ManualClock())
    await node_slow.refresh()
    tasks = [asyncio.create_task(each.watch()) for each in (node, node_slow)]
    await asyncio.sleep(0.05)
    began = perf_counter()
    assert await store.commit(store.registry.put_role(Role("rol_1", "a", {}, 1)))
    await until_async(lambda: "a" in node_slow.current().roles)
    assert perf_counter() - began < 10, "it polled by itself, after thirty seconds"
    asked = way.asked
    for _ in range(1000):
        notifiers.changed()
    await asyncio.sleep(0.1)
    assert way.asked - asked < 20
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.close()
