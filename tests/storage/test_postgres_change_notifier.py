"""Change notification over PostgreSQL: immediate, and again after the connection was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from doorward.adapters.no_metrics import NoMetrics
from doorward.storage.postgres.change_notifier import PostgresChangeNotifier
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.sql.store import Store
from tests.postgres import Databases
from tests.storage.samples import NOW, client, revocation
from tests.waiting import PATIENCE, until_async

pytestmark = pytest.mark.anyio
KINDS = ("postgres",)


@asynccontextmanager
async def hearing(notifier: PostgresChangeNotifier) -> AsyncIterator[asyncio.Event]:
    notified = asyncio.Event()
    running = asyncio.create_task(notifier.run(notified.set))
    try:
        yield notified
    finally:
        running.cancel()


async def until(notifier: PostgresChangeNotifier, *, connected: bool) -> None:
    await until_async(lambda: notifier.connected is connected)


async def test_every_commit_sends_a_notification(store: Store, postgres_url: str) -> None:
    notifier = PostgresChangeNotifier(url=postgres_url, metrics=NoMetrics())
    async with hearing(notifier) as notified:
        await until(notifier, connected=True)
        for write in (store.registry.put_client(client()), store.revocations.insert(revocation())):
            await asyncio.sleep(0.05)
            notified.clear()
            # only the commit itself sends a notification
            assert await store.commit(write)
            async with asyncio.timeout(PATIENCE):
                await notified.wait()


async def test_commits_that_no_process_waits_for_send_no_notification(
    store: Store, postgres_url: str
) -> None:
    notifier = PostgresChangeNotifier(url=postgres_url, metrics=NoMetrics())
    async with hearing(notifier) as notified:
        await until(notifier, connected=True)
        await asyncio.sleep(0.05)
        notified.clear()
        await store.commit(store.put_meta("a", "b"), store.attempts.add("b", NOW, 9))
        assert not await store.commit(
            store.registry.put_client(client()), store.grants.redeem_code(b"no such code", NOW)
        )
        await asyncio.sleep(0.3)
        assert not notified.is_set()


async def test_a_reconnect_notifies_of_missed_changes(
    store: Store, postgres: Databases, postgres_url: str
) -> None:
    said: list[str] = []
    notifier = PostgresChangeNotifier(url=postgres_url, metrics=NoMetrics(), tell=said.append)
    async with hearing(notifier) as notified:
        await until(notifier, connected=True)
        for _ in range(3):
            notified.clear()
            postgres.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN%' OR query LIKE '%gen_random_uuid%' AND pid <> pg_backend_pid()",
                postgres_url,
            )
            async with asyncio.timeout(PATIENCE):
                await notified.wait()
            await until(notifier, connected=True)
        await asyncio.sleep(0.05)
        notified.clear()
        await store.commit(store.registry.put_client(client()))
        async with asyncio.timeout(PATIENCE):
            await notified.wait()


async def test_behind_a_pooler_missing_notifications_are_reported_once(postgres_url: str) -> None:
    said: list[str] = []
    notifier = PostgresChangeNotifier(
        url=postgres_url,
        metrics=NoMetrics(),
        options=PostgresOptions(prepared_statements=False),
        tell=said.append,
    )
    async with hearing(notifier):
        await until_async(lambda: said)
        await asyncio.sleep(0.2)
        assert not notifier.connected
        assert len(said) == 1
        assert "pooler" in said[0]


async def test_an_unreachable_server_is_retried_and_no_password_is_logged() -> None:
    said: list[str] = []
    notifier = PostgresChangeNotifier(
        url="postgresql://me:sesame@127.0.0.1:1/none", metrics=NoMetrics(), tell=said.append
    )
    async with hearing(notifier):
        await until_async(lambda: said)
        await asyncio.sleep(0.5)
        assert not notifier.connected
        assert len(said) == 1
        assert "sesame" not in said[0]
        assert "me:***@127.0.0.1" in said[0]
