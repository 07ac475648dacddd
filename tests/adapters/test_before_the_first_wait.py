"""Does what a hot request may come to before its first wait do without a task? `web/direct.py` begins such a request without one."""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import Awaitable

import pytest

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import CatalogSigner
from doorward.cluster.config_snapshot import WatchedCatalog
from doorward.cluster.node_registry import LEASE
from doorward.storage.postgres.connect import Connector
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.sqlite.database import open_sqlite
from doorward.web import direct_cycle

pytestmark = pytest.mark.anyio


async def begun_early(work: Awaitable[object]) -> None:
    """`work`, begun in a callback of the loop, where there is no task, and ended in one. Raises what it raises."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    async def run() -> None:
        try:
            await work
        except Exception as problem:
            ended.set_exception(problem)
        else:
            ended.set_result(None)

    def begin() -> None:
        coroutine = run()
        try:
            waits_for = coroutine.send(None)
        except StopIteration:
            return
        tasks.append(loop.create_task(direct_cycle.resume(coroutine, waits_for)))

    tasks: list[asyncio.Task[None]] = []
    loop.call_soon(begin)
    await ended


def test_what_is_left_of_it_is_a_coroutine_to_any_python() -> None:
    """asyncio takes generators for one up to Python 3.11 alone; the tests may run on that, the image does not."""

    async def nothing() -> None:
        return

    run = nothing()
    rest = direct_cycle.resume(run, None)
    assert inspect.iscoroutine(rest)
    rest.close()
    run.close()


async def test_a_lapsed_lease_of_the_catalog_is_renewed() -> None:
    time = 0.0
    store = await open_sqlite(":memory:")
    sealer = KeyedSealer(b"k" * 32)
    catalog = WatchedCatalog(
        store=store, signer=CatalogSigner(issuer="https://a.example", sealer=sealer), passed=lambda: time
    )

    class Clock:
        def now(self) -> int:
            return 1_000

    await catalog.join("nod_1", Clock())
    time += LEASE + 1
    assert catalog.stale
    await begun_early(catalog.catch_up())
    assert not catalog.stale
    await store.close()


async def test_a_new_connection_to_the_only_server_is_made() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        connect = Connector(f"postgresql://a@127.0.0.1:{nobody.getsockname()[1]}/a", PostgresOptions())
        # nobody listens: what is heard of has to be the network, and not a missing task
        with pytest.raises(OSError):
            await begun_early(connect.connect())
