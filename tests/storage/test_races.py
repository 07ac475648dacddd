"""Guards when threads, store objects and processes race for the same row."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import pytest

from doorward.storage.sql.store import Store
from tests.storage.children import go, said, start
from tests.storage.samples import DAY, NOW, account, code, grant, refresh, rotated, running_tries
from tests.storage.samples_devices import remembered
from tests.storage.stores import Opener
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio


@pytest.mark.requirement(18)
@pytest.mark.parametrize("rounds", [20, pytest.param(200, marks=pytest.mark.soak)])
async def test_one_of_64_concurrent_refreshes_wins_in_each_round(
    store: Store, other: Store, rounds: int
) -> None:
    token = refresh()
    await store.commit(
        store.accounts.insert(account()), store.grants.insert(grant()), store.grants.insert_refresh(token)
    )

    async def attempt(one: Store, number: int, rival: int) -> bytes | None:
        new = rotated(token, f"{number} of {rival}")
        return new.hash if await one.commit(one.grants.spend_refresh(token, new, account())) else None

    for number in range(rounds):
        tries = [attempt((store, other)[rival % 2], number, rival) for rival in range(64)]
        winners = [won for won in await asyncio.gather(*tries) if won]
        assert len(winners) == 1
        for one in (store, other):
            found = await one.grants.refresh("grt_one")
            assert found is not None
            assert found[0].hash == winners[0]
            assert found[0].generation == number + 2
            token = found[0]


@pytest.mark.requirement(15)
async def test_a_code_is_redeemed_once_by_64_concurrent_requests(store: Store, other: Store) -> None:
    await store.commit(store.grants.insert_code(code()))
    tries = [
        one.commit(one.grants.redeem_code(code().hash, NOW)) for one in (store, other) for _ in range(32)
    ]
    assert sum(await asyncio.gather(*tries)) == 1


@pytest.mark.requirement(18)
async def test_three_processes_leave_one_successor_in_each_round(store: Store, opener: Opener) -> None:
    rounds = 60
    await store.commit(
        store.accounts.insert(account()),
        *(store.grants.insert(grant(f"round {number}")) for number in range(rounds)),
        *(store.grants.insert_refresh(refresh(f"round {number}")) for number in range(rounds)),
    )
    children = [start(opener, "spend", f"p{number}", str(rounds)) for number in range(3)]
    await asyncio.to_thread(go, *children)
    lines = [line.split() for lines in await asyncio.to_thread(said, *children) for line in lines]
    assert Counter(number for number, _ in lines) == Counter(str(number) for number in range(rounds))
    for number, won in lines:
        found = await store.grants.refresh(f"grt_round {number}")
        assert found is not None
        assert found[0].hash == bytes.fromhex(won)
        assert found[0].generation == 2
    # each winner wrote one revocation with it, numbered without gaps across processes
    newest, entries = await store.revocations.live(NOW + DAY - 1)
    assert [one.seq for one in entries] == list(range(1, rounds + 1))
    assert newest == rounds


@pytest.mark.requirement(15)
async def test_codes_are_redeemed_once_across_processes(store: Store, opener: Opener) -> None:
    codes = 60
    await store.commit(*(store.grants.insert_code(code(f"{number}")) for number in range(codes)))
    children = [start(opener, "redeem", f"p{number}", str(codes)) for number in range(3)]
    await asyncio.to_thread(go, *children)
    won = [line.split()[0] for lines in await asyncio.to_thread(said, *children) for line in lines]
    assert sorted(won, key=int) == [str(number) for number in range(codes)]


@pytest.mark.requirement(85)
async def test_a_remembered_device_has_one_successor_across_processes(store: Store, opener: Opener) -> None:
    rounds = 40
    for first in range(0, rounds, 10):
        # more than ten of one account do not stay: each batch has an owner of its own
        owner = account(f"owner {first}")
        await store.commit(
            store.accounts.insert(owner),
            *(
                store.remembered_devices.insert(remembered(f"round {number}", account_id=owner.id))
                for number in range(first, first + 10)
            ),
        )
    children = [start(opener, "rotate", f"p{number}", str(rounds)) for number in range(2)]
    await asyncio.to_thread(go, *children)
    accepted: dict[int, Counter[str]] = {}
    for lines in await asyncio.to_thread(said, *children):
        for number, successor in (line.split() for line in lines):
            accepted.setdefault(int(number), Counter())[successor] += 1
    assert sorted(accepted) == list(range(rounds))
    for number, found in accepted.items():
        # the same secret gives the same successor in every process: then each request wins, and otherwise those of one process
        assert list(found.values()) == [16 if number % 2 else 8], number
        device = await store.remembered_devices.get(f"dev_round {number}")
        assert device is not None
        assert [device.secret_hash.hex()] == list(found)
        assert (device.previous_hash, device.rotated_at) == (
            remembered(f"round {number}").secret_hash,
            NOW + 1,
        )


@pytest.mark.requirement(81)
async def test_attempts_are_counted_across_processes(store: Store, opener: Opener) -> None:
    children = [start(opener, "count", f"p{number}", "300") for number in range(3)]
    await asyncio.to_thread(go, *children)
    await asyncio.to_thread(said, *children)
    assert await running_tries(store, "shared", NOW) == (900, NOW + 900)


async def test_event_loops_in_several_threads_share_one_store(store: Store) -> None:
    problems: list[BaseException] = []

    async def work(name: str) -> None:
        for number in range(60):
            key = f"{name}-{number}"
            assert all(
                await asyncio.gather(
                    *(
                        store.commit(store.put_meta(f"{key}-{n}", key), store.attempts.add("t", NOW, 9))
                        for n in range(5)
                    )
                )
            )
            assert await store.meta(f"{key}-4") == key

    def thread(name: str) -> None:
        try:
            asyncio.run(work(name))
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=thread, args=(f"t{n}",)) for n in range(4)]
    for one in threads:
        one.start()
    await work("main")
    for one in threads:
        await asyncio.to_thread(one.join)
    assert problems == []
    assert await running_tries(store, "t", NOW) == (5 * 60 * 5, NOW + 9)


async def test_a_commit_after_a_pause_always_wakes_the_writer_thread(store: Store) -> None:
    # each commit finds the writer thread asleep or about to sleep: a lost wake-up would hang here
    for number in range(1500):
        await asyncio.wait_for(store.commit(store.put_meta("n", str(number))), timeout=PATIENCE)
        if number % 7 == 0:
            await asyncio.sleep(0.0002 * (number % 5))


async def test_two_busy_processes_share_the_write_lock_fairly(store: Store, opener: Opener) -> None:
    children = [start(opener, "wait_for", f"p{number}", "3") for number in range(2)]
    await asyncio.to_thread(go, *children)
    waits: list[float] = []
    loop = asyncio.get_running_loop()
    until = loop.time() + 2.5
    while loop.time() < until:
        began = loop.time()
        await store.commit(store.put_meta("mine", str(began)))
        waits.append(loop.time() - began)
    done = [int(lines[0]) for lines in await asyncio.to_thread(said, *children)]
    assert min(done) > max(done) / 4
    assert max(waits) < 2
