"""Delivery reports over the gateway's two forms."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.adapters.metrics import PrometheusMetrics
from doorward.adapters.random import SystemRandom
from doorward.adapters.sms import webhook
from doorward.adapters.sms.webhook import WebhookChannel, sign
from doorward.core.model.secret import Secret
from doorward.core.model.text_message import OutgoingSms
from doorward.features.authn.factors.sms.reports import DeliveryReports
from doorward.storage.sql.store import Store
from doorward.web.http import Request
from tests.gateway import TOKEN
from tests.manual_clock import NOW, ManualClock

pytestmark = pytest.mark.anyio

SENT = OutgoingSms(
    id="sms_1",
    kind="code",
    account_id="usr_ada",
    code_id="cod_1",
    country="DE",
    sealed=b"sealed",
    created_at=NOW - 10,
    next_try_at=NOW - 10,
    tries=1,
    sent_at=NOW - 9,
    gateway_id="sms_1",
)


class Desk:
    """A store with one sent message, and what the gateway says of it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.metrics = PrometheusMetrics()
        clock = ManualClock()
        self.reports = DeliveryReports(
            store=store,
            channel=WebhookChannel(url="https://gateway.example", token=TOKEN, clock=clock),
            random=SystemRandom(),
            clock=clock,
            metrics=self.metrics,
        )

    async def say(self, body: bytes, token: Secret = TOKEN) -> int:
        scope = {
            "method": "POST",
            "path": "/sms/report/webhook",
            "query_string": b"",
            "headers": [(webhook.SIGNATURE.encode(), sign(token, NOW, body).encode())],
        }
        return (await self.reports.receive(Request(scope, body))).status

    async def row(self) -> OutgoingSms | None:
        return await self.store.outgoing_sms.get("sms_1")


@pytest.fixture
async def desk(store: Store) -> Desk:
    assert await store.commit(store.outgoing_sms.insert(SENT))
    return Desk(store)


async def test_a_message_that_did_not_arrive_is_recorded_once(desk: Desk) -> None:
    for _ in range(3):
        assert await desk.say(b'{"id": "sms_1", "status": "failed"}') == 204
    assert await desk.row() == structs.replace(
        SENT, failed_at=NOW, problem="the gateway reports that it was not delivered"
    )
    (event,) = await desk.store.audit.page(kind="sms.failed")
    assert (event.account_id, event.ok, event.detail["country"]) == ("usr_ada", False, "DE")
    assert b'doorward_sms_total{kind="DE_failed"} 1.0' in desk.metrics.page()


async def test_a_delivered_message_is_counted(desk: Desk) -> None:
    assert await desk.say(b'{"id": "sms_1", "status": "delivered"}') == 204
    assert await desk.row() == SENT
    assert b'doorward_sms_total{kind="DE_delivered"} 1.0' in desk.metrics.page()


async def test_an_unknown_message_is_answered_the_same(desk: Desk) -> None:
    assert await desk.say(b'{"id": "sms_2", "status": "failed"}') == 204
    assert await desk.say(b'{"id": "sms_1", "status": "on its way"}') == 204
    assert await desk.row() == SENT


async def test_a_report_of_somebody_else_changes_nothing(desk: Desk) -> None:
    assert await desk.say(b'{"id": "sms_1", "status": "failed"}', Secret("guess")) == 403
    assert await desk.row() == SENT
    assert await desk.store.audit.page(kind="sms.failed") == []


async def test_the_route_is_named_after_the_channel(desk: Desk) -> None:
    (route,) = desk.reports.routes()
    assert (route.path, route.methods) == ("/sms/report/webhook", frozenset({"POST"}))
