"""Change notification over Valkey: immediate, to every process, and again after the connection was lost."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import perf_counter

import pytest

from doorward.adapters.metrics import PrometheusMetrics
from doorward.adapters.no_metrics import NoMetrics
from doorward.adapters.valkey.change_notifier import ValkeyChangeNotifier
from doorward.adapters.valkey.connection import ValkeyLink
from doorward.cluster.change_notifier import ChangeNotifiers
from tests.valkey import ValkeyServer, valkey_server
from tests.waiting import keeps_async, until_async

pytestmark = pytest.mark.anyio


def values(metrics: PrometheusMetrics, name: str) -> dict[str, float]:
    """The values of a metric, by the kind of link."""
    found = re.findall(rf'^{name}\{{kind="(\w+)"\}} (\S+)$', metrics.page().decode(), re.MULTILINE)
    return {kind: float(value) for kind, value in found}


@asynccontextmanager
async def hung_up(server: ValkeyServer) -> AsyncGenerator[tuple[ValkeyChangeNotifier, list[float]]]:
    link, notified = ValkeyLink(server.url, metrics=NoMetrics()), list[float]()
    notifier = ValkeyChangeNotifier(url=server.url, link=link, metrics=NoMetrics())
    task = asyncio.create_task(notifier.run(lambda: notified.append(perf_counter())))
    await until_async(lambda: notifier.connected)
    yield notifier, notified
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await link.close()


async def test_a_notification_reaches_every_process_at_once() -> None:
    with valkey_server() as server:
        async with hung_up(server) as (one, first), hung_up(server) as (_, second):

            async def until_heard() -> float:
                first.clear()
                second.clear()
                began = perf_counter()
                await one.publish()
                await until_async(lambda: first and second)
                return max(*first, *second) - began

            await keeps_async(0.5, until_heard)


async def test_a_reconnect_wakes_the_listener_for_missed_changes() -> None:
    with valkey_server() as server:
        async with hung_up(server) as (notifier, notified):
            server.kill()
            await until_async(lambda: not notifier.connected)
            await notifier.publish()
            notified.clear()
            server.start()
            await until_async(lambda: notifier.connected)
            assert notified


async def test_a_hanging_server_counts_as_lost_and_delays_no_caller() -> None:
    with valkey_server() as server:
        async with hung_up(server) as (notifier, _):
            server.freeze()
            await notifier.publish()
            assert notifier.connected, "the caller did not wait until it counted as lost"
            await until_async(lambda: not notifier.connected)
            server.thaw()
            await until_async(lambda: notifier.connected)


async def test_a_command_waits_for_its_notification_before_it_exits() -> None:
    with valkey_server() as server:
        async with hung_up(server) as (_, notified):
            notified.clear()
            metrics = NoMetrics()
            link = ValkeyLink(server.url, metrics=metrics)
            notifiers = ChangeNotifiers([ValkeyChangeNotifier(url=server.url, link=link, metrics=metrics)])
            for _ in range(100):
                notifiers.changed()
            await notifiers.published()
            await link.close()
            await until_async(lambda: notified)
            await asyncio.sleep(0.1)
            # a hundred commits at once cause two notifications
            assert len(notified) <= 2


async def test_each_lost_connection_is_reported_once() -> None:
    with valkey_server() as server:
        server.kill()
        metrics = PrometheusMetrics()
        link = ValkeyLink(server.url, metrics=metrics)
        notifier = ValkeyChangeNotifier(url=server.url, link=link, metrics=metrics)
        tasks = [asyncio.create_task(work) for work in (notifier.run(lambda: None), link.watch())]
        await until_async(lambda: link.away)
        assert values(metrics, "doorward_link_up") == {"cache": 0, "cache_bell": 0}
        server.start()
        await until_async(lambda: all(values(metrics, "doorward_link_up").values()))
        assert not any(values(metrics, "doorward_links_lost_total").values())
        server.kill()
        await until_async(lambda: not any(values(metrics, "doorward_link_up").values()))
        # failed retries do not count as further losses
        await asyncio.sleep(2.5)
        assert values(metrics, "doorward_links_lost_total") == {"cache": 1, "cache_bell": 1}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await link.close()
