"""Webhook gateway: what is sent, which answers are final, and which reports are believed."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from doorward.adapters.sms import webhook
from doorward.adapters.sms.webhook import TOLERANCE, WebhookChannel, sign, signed_at
from doorward.core.model.secret import Secret
from doorward.core.ports.message_channel import (
    MessageAccepted,
    MessageDelayed,
    MessageRefused,
    Report,
    Unsigned,
)
from tests.gateway import TOKEN, Gateway, running
from tests.manual_clock import NOW, ManualClock

pytestmark = pytest.mark.anyio
NUMBER = "+491712345678"
SAID = "the gateway reports that it was not delivered"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running() as gateway:
        yield gateway


def channel_to(url: str, *, development: bool = True, timeout: float = 10) -> WebhookChannel:
    return WebhookChannel(url=url, token=TOKEN, clock=ManualClock(), timeout=timeout, development=development)


@pytest.fixture
async def channel(gateway: Gateway) -> AsyncIterator[WebhookChannel]:
    made = channel_to(f"{gateway.url}/sms")
    yield made
    await made.close()


async def test_a_message_is_sent_signed(gateway: Gateway, channel: WebhookChannel) -> None:
    assert await channel.send(NUMBER, "123456 ist da", message_id="sms_1") == MessageAccepted("sms_1")
    (taken,) = gateway.taken
    assert json.loads(taken.body) == {"id": "sms_1", "to": NUMBER, "text": "123456 ist da"}
    assert taken.path == "/sms"
    assert taken.headers["authorization"] == f"Bearer {TOKEN.reveal()}"
    assert taken.headers["content-type"] == "application/json"
    assert signed_at(TOKEN, taken.headers[webhook.SIGNATURE], taken.body) == NOW
    assert signed_at(Secret("other"), taken.headers[webhook.SIGNATURE], taken.body) is None


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 503, 302])
async def test_what_can_be_mended_is_tried_again(
    gateway: Gateway, channel: WebhookChannel, status: int
) -> None:
    gateway.answers.append((status, b"+491712345678 secret"))
    gateway.location = f"{gateway.url}/elsewhere"
    answer = await channel.send(NUMBER, "x", message_id="sms_1")
    assert isinstance(answer, MessageDelayed)
    assert str(status) in answer.reason
    assert "secret" not in answer.reason
    assert not gateway.taken, "a redirect is not followed"


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_any_other_answer_is_final(gateway: Gateway, channel: WebhookChannel, status: int) -> None:
    gateway.answers.append((status, b"+491712345678 secret"))
    answer = await channel.send(NUMBER, "x", message_id="sms_1")
    assert isinstance(answer, MessageRefused)
    assert "secret" not in answer.reason


async def test_a_huge_answer_is_not_read_to_its_end(gateway: Gateway, channel: WebhookChannel) -> None:
    gateway.answers.append((200, b"x" * 2_000_000))
    assert await channel.send(NUMBER, "x", message_id="sms_1") == MessageAccepted("sms_1")


async def test_no_gateway_is_a_delay() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        channel = channel_to(f"http://127.0.0.1:{held.getsockname()[1]}/")
        assert isinstance(await channel.send(NUMBER, "x", message_id="sms_1"), MessageDelayed)
        held.listen()
        slow = channel_to(f"http://127.0.0.1:{held.getsockname()[1]}/", timeout=0.1)
        assert await slow.send(NUMBER, "x", message_id="sms_1") == MessageDelayed(
            "the gateway: no answer within 0.1 s"
        )
        await channel.close()
        await slow.close()


@pytest.mark.parametrize(
    ("url", "development"),
    [
        ("http://127.0.0.1:{port}/", False),
        ("http://gateway.example/", True),
        ("ftp://127.0.0.1:{port}/", True),
        ("http://user@127.0.0.1:{port}/", True),
        ("http://[", True),
        ("", True),
    ],
)
async def test_only_https_is_called(gateway: Gateway, url: str, development: bool) -> None:
    channel = channel_to(url.replace("{port}", gateway.url.rpartition(":")[2]), development=development)
    answer = await channel.send(NUMBER, "x", message_id="sms_1")
    assert isinstance(answer, MessageDelayed)
    assert "may not be called" in answer.reason
    assert not gateway.taken
    await channel.close()


def _report(
    channel: WebhookChannel, body: bytes, *, at: int = NOW, token: Secret = TOKEN
) -> Report | Unsigned | None:
    return channel.report({webhook.SIGNATURE: sign(token, at, body)}, body, NOW)


async def test_reports_tell_what_became_of_a_message(channel: WebhookChannel) -> None:
    assert _report(channel, b'{"id": "sms_1", "status": "delivered"}') == Report("sms_1", None)
    failed = _report(channel, b'{"id": "sms_1", "status": "failed", "reason": "+491712345678 is absent"}')
    assert isinstance(failed, Report)
    assert failed.problem is not None
    assert "+49" not in failed.problem
    assert _report(channel, b'{"id": "sms_1", "status": "queued"}') is None
    assert _report(channel, b'{"status": "failed"}') is None
    assert _report(channel, b"\xff") is None


async def test_reports_that_are_not_signed_by_the_gateway_are_not_believed(channel: WebhookChannel) -> None:
    body = b'{"id": "sms_1", "status": "failed"}'
    good = sign(TOKEN, NOW, body)
    assert channel.report({webhook.SIGNATURE: good}, body, NOW) == Report("sms_1", SAID)
    assert _report(channel, body, token=Secret("other")) == Unsigned()
    assert _report(channel, body, at=NOW - TOLERANCE) == Report("sms_1", SAID)
    assert _report(channel, body, at=NOW - TOLERANCE - 1) == Unsigned(), "recorded long ago"
    assert _report(channel, body, at=NOW + TOLERANCE + 1) == Unsigned()
    assert channel.report({}, body, NOW) == Unsigned()
    assert channel.report({webhook.SIGNATURE: good}, body.replace(b"1", b"2"), NOW) == Unsigned()
    for wrong in (
        "",
        "t=",
        "v1=",
        f"t={NOW}",
        f"t={NOW},v1=é",
        "t=x,v1=y",
        "t=²,v1=y",
        good.replace("t=", "t=9"),
        ",",
    ):
        assert channel.report({webhook.SIGNATURE: wrong}, body, NOW) == Unsigned(), wrong
