"""Configuration snapshot of a running server: it follows the changes of commands and never loses its content."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path
from time import perf_counter

import pytest
from msgspec import structs

from doorward.adapters.background import BackgroundTasks, every
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import SealedKeyMaker, SnapshotSigner
from doorward.cluster.config_snapshot import ConfigSnapshotWatcher
from doorward.core.errors import StoreUnavailable
from doorward.core.model.config_snapshot import Role
from doorward.storage.sqlite.database import open_sqlite
from tests.waiting import PATIENCE, keeps_async, until_async

pytestmark = pytest.mark.anyio
SEALER = KeyedSealer(b"k" * 32)


async def test_a_change_of_another_process_arrives_within_a_second(tmp_path: Path) -> None:
    server, command = await open_sqlite(tmp_path / "a.db"), await open_sqlite(tmp_path / "a.db")
    signer = SnapshotSigner(issuer="https://a.example", sealer=SEALER)
    config = ConfigSnapshotWatcher(store=server, signer=signer)
    await config.refresh()
    seen: list[int] = []
    config.on_change(lambda new: seen.append(new.version))
    background = BackgroundTasks()
    background.start(config.watch(), name="config")
    key = structs.replace(SealedKeyMaker(SEALER).make("key_1", "ES256", 1), state="current", activated_at=1)
    numbers = count(1)

    async def seconds_until_there() -> float:
        name = f"customer_{next(numbers)}"
        assert await command.commit(command.registry.put_role(Role(f"rol_{name}", name, {}, 1)))
        began = perf_counter()
        await until_async(lambda: name in config.current().roles)
        return perf_counter() - began

    assert await command.commit(command.registry.insert_key(key))
    await keeps_async(1, seconds_until_there)
    # the key arrived with the snapshot: the server can sign with the algorithms in it
    assert signer.sign({}, typ="JWT")
    assert seen[-1] == config.current().version > seen[0]
    await background.stop()
    await server.close()
    await command.close()


async def test_a_signing_key_sealed_with_another_secret_key_does_not_stop_the_server() -> None:
    store = await open_sqlite(":memory:")
    signer = SnapshotSigner(issuer="https://a.example", sealer=SEALER)
    config = ConfigSnapshotWatcher(store=store, signer=signer, interval=0.01)
    await config.refresh()
    before = config.current()
    foreign = SealedKeyMaker(KeyedSealer(b"x" * 32)).make("key_1", "ES256", 1)
    await store.commit(store.registry.insert_key(structs.replace(foreign, state="current")))
    task = asyncio.create_task(config.watch())
    await asyncio.sleep(0.1)
    assert not task.done()
    assert config.current().keys == before.keys
    # changes unrelated to keys take effect
    assert await store.commit(store.registry.put_role(Role("rol_1", "customer", {}, 1)))
    await until_async(lambda: "customer" in config.current().roles)
    task.cancel()
    with pytest.raises(ValueError, match="another secret key"):
        await ConfigSnapshotWatcher(store=store, signer=signer).refresh()
    await store.close()


async def test_a_task_survives_its_failures_and_ends_when_stopped() -> None:
    rounds = 0

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise StoreUnavailable
        if rounds == 2:
            raise ValueError("bad round")

    background = BackgroundTasks()
    background.start(every(0.001, work, name="test"), name="test")
    async with asyncio.timeout(PATIENCE):
        while rounds < 5:
            await asyncio.sleep(0.001)
    await background.stop()
    done = rounds
    await asyncio.sleep(0.02)
    assert rounds == done


async def test_tasks_that_never_started_stop_without_an_error() -> None:
    background = BackgroundTasks()

    async def never() -> None:
        await asyncio.sleep(100)

    background.start(never(), name="test")
    await background.stop()
