"""Attempt counters in every state of the cache: gone, hanging, empty, full, and back again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

import pytest

from doorward.adapters.counters.write_behind import WriteBehindCounter
from doorward.adapters.no_metrics import NoMetrics
from doorward.adapters.valkey.connection import EPOCH, LONGEST, CacheAway, ValkeyLink
from doorward.adapters.valkey.counters import PREFIX, ValkeyCounters
from doorward.core.errors import StoreUnavailable
from doorward.core.model.bucket import Bucket
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.database import open_sqlite
from tests.manual_clock import ManualClock
from tests.people import NOW
from tests.storage.samples import running_tries
from tests.valkey import ValkeyServer, Way, valkey_server, way_to

pytestmark = pytest.mark.anyio
WINDOW, DAY = Bucket("window", 5, 900), Bucket("day", 8, 86_400)
BOTH = (WINDOW, DAY)


@dataclass
class Passing:
    """Time controlled by a test."""

    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Process:
    """The counters of one process."""

    link: ValkeyLink
    uncommitted: WriteBehindCounter
    counters: ValkeyCounters
    passed: Passing


@pytest.fixture(scope="module")
def shared() -> Iterator[ValkeyServer]:
    with valkey_server() as server:
        yield server


@asynccontextmanager
async def processes(
    server: ValkeyServer | Way, store: Store, count: int = 1, *, longest: float = 5
) -> AsyncGenerator[list[Process]]:
    made: list[Process] = []
    for _ in range(count):
        passed = Passing()
        link = ValkeyLink(server.url, metrics=NoMetrics(), passed=passed, longest=longest)
        uncommitted = WriteBehindCounter(store=store, clock=ManualClock())
        made.append(
            Process(
                link, uncommitted, ValkeyCounters(link=link, store=store, uncommitted=uncommitted), passed
            )
        )
    yield made
    for each in made:
        await each.link.close()


async def fresh(server: ValkeyServer) -> None:
    link = ValkeyLink(server.url, metrics=NoMetrics())
    await link.do("FLUSHALL")
    await link.close()


async def back(process: Process) -> None:
    """Wait until the process has found the cache again and uses it."""
    process.passed.seconds += 10
    with pytest.raises(CacheAway):
        await process.link.do("PING")
    assert process.link.away
    process.passed.seconds += 2
    await process.link.do("PING")
    assert not process.link.away


async def tries_of(process: Process, now: int = NOW) -> list[int]:
    return [tries for _, tries, _ in await process.counters.counted(BOTH, now)]


@pytest.mark.requirement(81)
async def test_all_processes_together_count_up_to_exactly_the_limit(
    shared: ValkeyServer, store: Store
) -> None:
    await fresh(shared)
    async with processes(shared, store, 4) as all_of_them:

        async def burst(now: int) -> int:
            takes = [each.counters.take(BOTH, now) for each in all_of_them * 25]
            return sum(await asyncio.gather(*takes))

        assert await burst(NOW) == 5
        assert await burst(NOW + 899) == 0
        assert await burst(NOW + 900) == 3
        assert await tries_of(all_of_them[3], NOW + 900) == [3, 8]


async def test_attempts_need_no_commit_and_are_in_the_database_a_second_later(
    shared: ValkeyServer, store: Store
) -> None:
    await fresh(shared)
    async with processes(shared, store) as (one,):
        for _ in range(4):
            assert await one.counters.take(BOTH, NOW)
        assert await store.attempts.counts(["window", "day"]) == {}
        await one.uncommitted.flush()
        assert await store.attempts.counts(["window", "day"]) == {
            "window": (4, NOW + 900),
            "day": (4, NOW + 86_400),
        }


@pytest.mark.requirement(81)
async def test_an_emptied_cache_allows_no_additional_guesses(store: Store) -> None:
    with valkey_server() as server:
        async with processes(server, store, 2) as (one, two):
            for _ in range(3):
                assert await one.counters.take(BOTH, NOW)
            server.kill()
            # counting continues in the database, to which this process writes its counts at once
            assert await one.counters.take(BOTH, NOW)
            assert await running_tries(store, "window", NOW) == (4, NOW + 900)
            server.start()
            await back(one)
            assert await two.counters.take(BOTH, NOW)
            await two.uncommitted.flush()
            assert await tries_of(one) == [5, 5]
            assert not await one.counters.take(BOTH, NOW)
            assert not await two.counters.take(BOTH, NOW)


@pytest.mark.requirement(81)
async def test_an_evicted_counter_is_read_from_the_database(shared: ValkeyServer, store: Store) -> None:
    await fresh(shared)
    async with processes(shared, store) as (one,):
        for _ in range(4):
            assert await one.counters.take(BOTH, NOW)
        await one.uncommitted.flush()
        await one.link.do("DEL", PREFIX + "window", PREFIX + "day")
        assert await tries_of(one) == [4, 4]
        assert await one.counters.take(BOTH, NOW)
        assert not await one.counters.take(BOTH, NOW)


@pytest.mark.requirement(81)
async def test_an_evicted_epoch_makes_no_old_counter_valid_again(shared: ValkeyServer, store: Store) -> None:
    """An attacker who can fill the cache can make it evict entries, and waits for a counter from before an outage."""
    await fresh(shared)
    async with way_to(shared) as way, processes(way, store) as (one,):
        for _ in range(2):
            assert await one.counters.take(BOTH, NOW)
            await one.uncommitted.flush()
            way.cut()
            assert await one.counters.take(BOTH, NOW)
            way.mend()
            await back(one)
            await one.link.do("DEL", EPOCH)
        assert await tries_of(one) == [4, 4]
        await one.link.do("DEL", EPOCH)
        assert await one.counters.take(BOTH, NOW)
        await one.uncommitted.flush()
        await one.link.do("DEL", EPOCH)
        assert not await one.counters.take(BOTH, NOW)


@pytest.mark.requirement(81)
async def test_attempts_counted_while_disconnected_count_for_all_after_reconnecting(
    shared: ValkeyServer, store: Store
) -> None:
    await fresh(shared)
    async with way_to(shared) as way, processes(way, store) as (one,), processes(shared, store) as (two,):
        assert await two.counters.take(BOTH, NOW)
        assert await two.counters.take(BOTH, NOW)
        await two.uncommitted.flush()
        way.cut()
        assert await one.counters.take(BOTH, NOW)
        assert await one.counters.take(BOTH, NOW)
        way.mend()
        await back(one)
        assert await tries_of(one) == [4, 4]
        assert await tries_of(two) == [4, 4]
        assert await two.counters.take(BOTH, NOW)
        assert not await one.counters.take(BOTH, NOW)


async def test_a_hanging_cache_costs_a_quarter_of_a_second_once(store: Store) -> None:
    with valkey_server() as server:
        # eight times as long, so that a busy machine does not look like a second wait
        assert LONGEST == 0.25
        longest = 8 * LONGEST
        async with processes(server, store, longest=longest) as (one,):
            assert await one.counters.take(BOTH, NOW)
            server.freeze()
            began = perf_counter()
            assert await asyncio.gather(*(one.counters.take(BOTH, NOW) for _ in range(3))) == [True] * 3
            assert 0.8 * longest < perf_counter() - began < 3 * longest
            began = perf_counter()
            assert await one.counters.take(BOTH, NOW)
            assert not await one.counters.take(BOTH, NOW)
            await one.counters.forget([Bucket("other", 1, 1)])
            assert perf_counter() - began < longest
            # still hanging: one of the next requests tries, and the others do not wait for it
            one.passed.seconds += 2
            began = perf_counter()
            assert not any(await asyncio.gather(*(one.counters.take(BOTH, NOW) for _ in range(20))))
            assert perf_counter() - began < 3 * longest
            assert one.link.away
            server.thaw()
            await back(one)
            assert not await one.counters.take(BOTH, NOW)
            assert not one.link.away
            assert await tries_of(one) == [5, 5]


async def test_a_full_cache_counts_as_unavailable(store: Store) -> None:
    with valkey_server("--maxmemory", "1", "--maxmemory-policy", "noeviction") as server:
        async with processes(server, store) as (one,):
            for _ in range(5):
                assert await one.counters.take(BOTH, NOW)
            assert not await one.counters.take(BOTH, NOW)
            assert await running_tries(store, "window", NOW) == (5, NOW + 900)


async def test_commands_beyond_the_connection_limit_wait(shared: ValkeyServer, store: Store) -> None:
    await fresh(shared)
    wide = [Bucket(f"wide {number}", 10, 900) for number in range(300)]
    async with processes(shared, store) as (one,):
        assert all(await asyncio.gather(*(one.counters.take([bucket], NOW) for bucket in wide)))
        assert not one.link.away


async def test_a_cancelled_command_leaves_no_answer_for_the_next(shared: ValkeyServer, store: Store) -> None:
    await fresh(shared)
    async with processes(shared, store) as (one,):
        await one.link.do("SET", "a", "answer of a")
        for _ in range(200):
            given_up = asyncio.create_task(one.link.do("GET", "a"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
            assert await one.link.do("GET", "b") is None


async def test_forgetting_a_bucket_clears_its_counter(shared: ValkeyServer, store: Store) -> None:
    await fresh(shared)
    async with processes(shared, store) as (one,):
        for _ in range(5):
            assert await one.counters.take(BOTH, NOW)
        await one.counters.forget(BOTH)
        assert await tries_of(one) == [0, 0]
        await one.uncommitted.flush()
        assert await store.attempts.counts(["window", "day"]) == {}


async def test_a_counter_expires_a_minute_after_its_window(shared: ValkeyServer, store: Store) -> None:
    await fresh(shared)
    async with processes(shared, store) as (one,):
        assert await one.counters.take([Bucket("short", 5, 30)], NOW)
        assert 80 < await one.link.do("TTL", PREFIX + "short") <= 90


async def test_errors_about_an_unavailable_cache_contain_no_address_and_no_password(
    capfd: pytest.CaptureFixture[str],
) -> None:
    link = ValkeyLink("valkey://doorward:hunter2hunter2@127.0.0.1:1/0", metrics=NoMetrics())
    with pytest.raises(CacheAway) as caught:
        await link.do("PING")
    assert "hunter2" not in str(caught.value) + repr(caught.value.__cause__)
    printed = capfd.readouterr()
    assert "hunter2" not in printed.out + printed.err
    await link.close()


@pytest.mark.parametrize("kind", ["gone", "hanging"])
async def test_without_cache_and_database_counting_raises_store_unavailable(kind: str) -> None:
    store = await open_sqlite(":memory:")
    with valkey_server() as server:
        async with processes(server, store, longest=LONGEST) as (one,):
            assert await one.counters.take(BOTH, NOW)
            if kind == "gone":
                server.kill()
            else:
                server.freeze()
            await store.close()
            with pytest.raises(StoreUnavailable):
                await one.counters.take(BOTH, NOW)
            with pytest.raises(StoreUnavailable):
                await one.counters.counted(BOTH, NOW)
