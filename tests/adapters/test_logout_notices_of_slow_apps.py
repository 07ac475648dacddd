"""Logout notices of one app do not wait for the answers of another."""

from __future__ import annotations

import asyncio

import pytest

from doorward.adapters.mail.delivery import OF_APP, LogoutWorker
from doorward.adapters.no_metrics import NoMetrics
from doorward.core.model.message import LogoutNotice
from doorward.storage.sql.store import Store
from tests.manual_clock import NOW, ManualClock
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio


def notice(number: int, client_id: str, *, tries: int = 0) -> LogoutNotice:
    """Due, the lower numbers for longer."""
    return LogoutNotice(
        id=f"lgo_{number:03}",
        client_id=client_id,
        account_id="usr_1",
        session_id=f"ses_{number}",
        created_at=NOW - 100,
        next_try_at=NOW - 100 + number,
        tries=tries,
    )


async def put(store: Store, *notices: LogoutNotice) -> None:
    assert await store.commit(*(store.messages.insert_logout(one) for one in notices))


@pytest.mark.requirement(76)
async def test_an_app_that_hangs_delays_its_own_notices_alone(store: Store) -> None:
    """Those of another app are sent while it hangs, those due later too."""
    await put(store, *(notice(number, "app_slow") for number in range(3 * OF_APP)))
    await put(store, notice(50, "app_well"))
    told: asyncio.Queue[str] = asyncio.Queue()
    slow: list[str] = []
    answers = asyncio.Event()

    async def deliver(given: LogoutNotice) -> str | None:
        if given.client_id == "app_slow":
            slow.append(given.id)
            await answers.wait()
        told.put_nowait(given.id)
        return None

    worker = LogoutWorker(
        store=store, deliver=deliver, clock=ManualClock(), metrics=NoMetrics(), interval=PATIENCE
    )
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(PATIENCE):
        assert await told.get() == "lgo_050"
        await put(store, notice(51, "app_well"))
        worker.woken.set()
        assert await told.get() == "lgo_051"
        assert len(slow) == OF_APP
        answers.set()
        # a try that has ended makes room for the next one
        assert len({await told.get() for _ in range(3 * OF_APP)}) == 3 * OF_APP
    running.cancel()


@pytest.mark.requirement(76)
async def test_first_tries_of_an_app_come_before_retries(store: Store) -> None:
    await put(store, *(notice(number, "app_1", tries=1) for number in range(2 * OF_APP)))
    await put(store, notice(60, "app_1"), notice(61, "app_2"), notice(62, "app_2", tries=1))
    due = await store.messages.due_logouts(NOW, 2)
    assert [one.id for one in due] == ["lgo_060", "lgo_061", "lgo_000", "lgo_062"]
    assert [one.id for one in await store.messages.due_logouts(NOW, 2, but={"app_1"})] == [
        "lgo_061",
        "lgo_062",
    ]
    assert await store.messages.due_logouts(NOW - 200, 2) == []


async def test_a_try_is_said_when_it_has_ended(store: Store) -> None:
    """Whatever the app answered: a sign-out waits for the first one."""
    await put(store, notice(1, "app_1"), notice(2, "app_2"))
    tried: list[str] = []

    async def deliver(given: LogoutNotice) -> str | None:
        return None if given.client_id == "app_1" else "it answered 503"

    worker = LogoutWorker(
        store=store, deliver=deliver, clock=ManualClock(), metrics=NoMetrics(), tried=tried.append
    )
    assert await worker.send_due() == 2
    assert sorted(tried) == ["ses_1", "ses_2"]
    assert not await store.messages.untried("ses_1")
    assert not await store.messages.untried("ses_2")
