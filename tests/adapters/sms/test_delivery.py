"""Delivery of text messages: each is sent once, tried again while its code works, and then given up."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.metrics import PrometheusMetrics
from doorward.adapters.sms.delivery import SmsWorker, open_sms
from doorward.core.model.audit import AuditEvent
from doorward.core.model.text_message import SMS_PURPOSE, OutgoingSms, Sms
from doorward.core.ports.message_channel import (
    MessageAccepted,
    MessageDelayed,
    MessageRefused,
    Report,
    Unsigned,
)
from doorward.storage.sql.store import Store
from tests.manual_clock import NOW, ManualClock

pytestmark = pytest.mark.anyio
SEALER = KeyedSealer(b"k" * 32)
NUMBER = "+491712345678"


class Desk:
    """The outbox of a store, with a channel that gives `answers` in turn, then accepts."""

    name = "desk"

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock()
        self.metrics = PrometheusMetrics()
        self.answers: list[MessageAccepted | MessageRefused | MessageDelayed] = []
        self.sent: list[tuple[int, str, str, str]] = []
        self.spent: dict[str, str] = {}
        self.worker = self.another()

    def another(self, sealer: KeyedSealer = SEALER) -> SmsWorker:
        return SmsWorker(
            store=self.store,
            sealer=sealer,
            channel=self,
            clock=self.clock,
            metrics=self.metrics,
            failed=self._failed,
            spent=self._spent,
        )

    async def send(
        self, to: str, text: str, *, message_id: str
    ) -> MessageAccepted | MessageRefused | MessageDelayed:
        self.sent.append((self.clock.time, to, text, message_id))
        await asyncio.sleep(0)
        return self.answers.pop(0) if self.answers else MessageAccepted(f"gw_{message_id}")

    def report(self, headers: object, body: bytes, now: int) -> Report | Unsigned | None:
        raise NotImplementedError

    async def close(self) -> None:
        pass

    def _failed(self, message: OutgoingSms, reason: str) -> Any:
        event = AuditEvent(
            id=f"aud_{message.id}", at=self.clock.time, kind="sms.failed", ok=False, detail={"reason": reason}
        )
        return self.store.audit.append(event)

    async def _spent(self, code_id: str, _now: int) -> str | None:
        return self.spent.get(code_id)

    async def post(self, number: int = 1, *, life: int = 600) -> OutgoingSms:
        message_id = f"sms_{number}"
        content = Sms(
            to=NUMBER, text="123456 is your code.", expires_at=self.clock.time + life, code="123456"
        )
        message = OutgoingSms(
            id=message_id,
            kind="code",
            account_id="usr_ada",
            code_id=f"cod_{number}",
            country="DE",
            sealed=SEALER.seal(SMS_PURPOSE, message_id, msgspec.json.encode(content)),
            created_at=self.clock.time,
            next_try_at=self.clock.time,
        )
        assert NUMBER.encode() not in message.sealed
        assert await self.store.commit(self.store.outgoing_sms.insert(message))
        return message

    async def row(self, message: OutgoingSms) -> OutgoingSms:
        found = await self.store.outgoing_sms.get(message.id)
        assert found is not None
        return found

    async def for_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.worker.send_due()
            self.clock.time += 1

    async def recorded(self) -> list[Any]:
        event = await self.store.audit.get("aud_sms_1")
        return [] if event is None else [event.detail["reason"]]


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


async def test_a_message_is_sent_once(desk: Desk) -> None:
    message = await desk.post()
    assert open_sms(SEALER, message).code == "123456"
    assert await desk.worker.send_due() == 1
    assert await desk.worker.send_due() == 0
    assert desk.sent == [(NOW, NUMBER, "123456 is your code.", "sms_1")]
    row = await desk.row(message)
    assert (row.sent_at, row.failed_at, row.gateway_id, row.tries) == (NOW, None, "gw_sms_1", 1)
    assert b'doorward_sms_total{kind="DE_sent"} 1.0' in desk.metrics.page()


async def test_two_workers_share_the_outbox(desk: Desk) -> None:
    for number in range(8):
        await desk.post(number)
    await asyncio.gather(desk.worker.send_due(), desk.another().send_due())
    assert sorted(each[3] for each in desk.sent) == [f"sms_{number}" for number in range(8)]


@pytest.mark.requirement(83)
async def test_a_message_is_tried_again_until_its_code_expires(desk: Desk) -> None:
    message = await desk.post()
    desk.answers = [MessageDelayed("the gateway: it answered 503")] * 100
    await desk.for_seconds(700)
    tries = [at - NOW for at, *_ in desk.sent]
    assert tries[:5] == [0, 2, 7, 22, 82]
    assert max(tries) < 600
    row = await desk.row(message)
    assert row.sent_at is None
    assert row.failed_at is not None
    assert row.problem == "the gateway: it answered 503", "the operator is told why, not that time passed"
    assert await desk.recorded() == ["the gateway: it answered 503"]


async def test_a_refused_message_is_not_tried_again(desk: Desk) -> None:
    message = await desk.post()
    desk.answers = [MessageRefused("the number cannot receive messages (21614)")]
    await desk.for_seconds(100)
    assert len(desk.sent) == 1
    row = await desk.row(message)
    assert (row.failed_at, row.problem) == (NOW, "the number cannot receive messages (21614)")
    assert await desk.recorded() == ["the number cannot receive messages (21614)"]


@pytest.mark.requirement(94)
async def test_a_code_that_was_replaced_is_not_sent(desk: Desk) -> None:
    message = await desk.post()
    desk.spent["cod_1"] = "its code was used or replaced"
    await desk.for_seconds(3)
    assert desk.sent == []
    row = await desk.row(message)
    assert (row.failed_at, row.problem) == (NOW, None), "given up, and nothing failed"
    assert await desk.recorded() == []
    assert [
        (one.country, one.written, one.failed) for one in await desk.store.outgoing_sms.by_country(0)
    ] == [("DE", 1, 0)]
    assert b'kind="DE_dropped"' in desk.metrics.page()


async def test_a_message_of_another_secret_key_fails(desk: Desk) -> None:
    message = await desk.post()
    await desk.another(KeyedSealer(b"x" * 32)).send_due()
    assert desk.sent == []
    assert (await desk.row(message)).failed_at == NOW


async def test_a_message_of_a_worker_that_died_is_sent_by_another(desk: Desk) -> None:
    message = await desk.post()

    async def dies(_to: str, _text: str, *, message_id: str) -> MessageAccepted:
        raise ConnectionError(message_id)

    working, desk.send = desk.send, dies  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await desk.worker.send_due()
    desk.send = working
    await desk.for_seconds(130)
    assert len(desk.sent) == 1
    assert (await desk.row(message)).sent_at is not None
