"""Text messages in the outbox: one worker takes each, and a report marks it once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from doorward.core.model.text_message import CountrySms, OutgoingSms
from doorward.storage.sql.store import Store
from tests.storage.samples import NOW

pytestmark = pytest.mark.anyio


def sms(name: str = "one", /, **changes: Any) -> OutgoingSms:
    values: dict[str, Any] = {
        "id": f"sms_{name}",
        "kind": "code",
        "account_id": "usr_ada",
        "code_id": "cod_one",
        "country": "DE",
        "sealed": b"\x00sealed\xff",
        "created_at": NOW,
        "next_try_at": NOW,
    }
    return OutgoingSms(**values | changes)


async def test_a_message_is_kept_whole(store: Store) -> None:
    full = sms("full", tries=2, sent_at=NOW + 1, failed_at=NOW + 2, gateway_id="SM1", problem="absent")
    await store.commit(store.outgoing_sms.insert(sms(code_id=None)), store.outgoing_sms.insert(full))
    assert await store.outgoing_sms.get("sms_one") == sms(code_id=None)
    assert await store.outgoing_sms.get("sms_full") == full
    assert await store.outgoing_sms.by_gateway("SM1") == full
    assert await store.outgoing_sms.by_gateway("SM2") is None
    assert await store.outgoing_sms.get("sms_none") is None


async def test_due_messages_are_those_not_sent_or_given_up(store: Store) -> None:
    rows = [
        sms("later", next_try_at=NOW + 1),
        sms("two", next_try_at=NOW - 1),
        sms("one"),
        sms("sent", sent_at=NOW),
        sms("failed", failed_at=NOW),
    ]
    await store.commit(*(store.outgoing_sms.insert(row) for row in rows))
    assert [row.id for row in await store.outgoing_sms.due(NOW)] == ["sms_two", "sms_one"]
    assert [row.id for row in await store.outgoing_sms.due(NOW, 1)] == ["sms_two"]
    assert len(await store.outgoing_sms.recent(3)) == 3


async def test_a_message_is_taken_by_one_worker(store: Store, other: Store) -> None:
    await store.commit(store.outgoing_sms.insert(sms()))
    taken = replace(sms(), tries=1, next_try_at=NOW + 120)
    won = await asyncio.gather(
        *(one.commit(one.outgoing_sms.replace(sms(), taken)) for one in (store, other) for _ in range(5))
    )
    assert sorted(won) == [False] * 9 + [True]
    sent = replace(taken, sent_at=NOW + 1, gateway_id="SM1")
    assert await store.commit(store.outgoing_sms.replace(taken, sent))
    assert not await store.commit(store.outgoing_sms.replace(taken, replace(taken, failed_at=NOW)))
    assert await store.outgoing_sms.get("sms_one") == sent


async def test_a_report_marks_a_message_once(store: Store, other: Store) -> None:
    row = sms(sent_at=NOW, gateway_id="SM1")
    await store.commit(store.outgoing_sms.insert(row))
    won = await asyncio.gather(
        *(
            one.commit(one.outgoing_sms.failed(row, "absent", NOW + 5))
            for one in (store, other)
            for _ in range(3)
        )
    )
    assert sorted(won) == [False] * 5 + [True]
    assert await store.outgoing_sms.get("sms_one") == replace(row, failed_at=NOW + 5, problem="absent")


async def test_failures_are_counted_by_country(store: Store) -> None:
    rows = [
        sms("a"),
        sms("b", failed_at=NOW, problem="absent"),
        sms("c", failed_at=NOW),
        sms("d", country="AT", failed_at=NOW, problem="absent"),
        sms("old", created_at=NOW - 3600, failed_at=NOW, problem="absent"),
    ]
    await store.commit(*(store.outgoing_sms.insert(row) for row in rows))
    assert await store.outgoing_sms.by_country(NOW - 3600) == [
        CountrySms(country="AT", written=1, failed=1),
        CountrySms(country="DE", written=3, failed=1),
    ]
