"""Logout notices: sent once, and retried while an app is down."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.adapters.mail.delivery import LOGOUT_LIFE, LogoutWorker
from doorward.adapters.no_metrics import NoMetrics
from doorward.core.model.message import LogoutNotice
from doorward.storage.sql.store import Store
from tests.manual_clock import NOW, ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.mark.requirement(76)
async def test_logout_notices_are_retried_and_given_up_after_an_hour(
    store: Store, clock: ManualClock
) -> None:
    notice = LogoutNotice(
        id="lgo_1", client_id="app_1", account_id="usr_1", session_id="ses_1", created_at=NOW, next_try_at=NOW
    )
    await store.commit(store.messages.insert_logout(notice))
    asked: list[int] = []
    takes = False

    async def deliver(given: LogoutNotice) -> str | None:
        assert given.id == "lgo_1"
        asked.append(clock.time)
        return None if takes else "it answered 400"

    worker = LogoutWorker(store=store, deliver=deliver, clock=clock, metrics=NoMetrics())
    while clock.time - NOW < LOGOUT_LIFE + 2000:
        await worker.send_due()
        clock.time += 1
    assert asked[:4] == [NOW, NOW + 2, NOW + 12, NOW + 72]
    assert asked[-1] - NOW >= LOGOUT_LIFE
    assert len(asked) < 12, "an app that is down for long is called only a few times"
    (untold,) = await store.messages.undelivered()
    assert (untold.client_id, untold.waiting, untold.failed) == ("app_1", 0, 1)
    assert untold.problem == "it answered 400"
    takes = True
    again = structs.replace(notice, id="lgo_1", created_at=clock.time, next_try_at=clock.time)
    await store.commit(store.messages.insert_logout(structs.replace(again, id="lgo_2")))
    asked.clear()

    async def delivered(_notice: LogoutNotice) -> str | None:
        asked.append(clock.time)
        return None

    second = LogoutWorker(store=store, deliver=delivered, clock=clock, metrics=NoMetrics())
    assert await second.send_due() == 1
    assert await second.send_due() == 0
    assert len(asked) == 1
