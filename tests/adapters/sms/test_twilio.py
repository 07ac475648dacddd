"""Gateway with Twilio's interface: the form, its error codes, and signed reports."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import pytest

from doorward.adapters.sms import twilio
from doorward.adapters.sms.twilio import TwilioChannel, signature
from doorward.core.model.secret import Secret
from doorward.core.ports.message_channel import (
    MessageAccepted,
    MessageDelayed,
    MessageRefused,
    Report,
    Unsigned,
)
from tests.gateway import ACCOUNT, TOKEN, Gateway, basic, running
from tests.manual_clock import NOW

pytestmark = pytest.mark.anyio
NUMBER = "+491712345678"
SAID = "the gateway reports that it was not delivered"
CALLBACK = "https://id.example/sms/report/twilio"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running() as gateway:
        yield gateway


def channel_to(url: str, sender: str = "+15550100") -> TwilioChannel:
    return TwilioChannel(
        account=ACCOUNT, token=TOKEN, sender=sender, report_url=CALLBACK, url=url, development=True
    )


@pytest.fixture
async def channel(gateway: Gateway) -> AsyncIterator[TwilioChannel]:
    made = channel_to(gateway.url)
    yield made
    await made.close()


async def test_a_message_is_sent_as_a_form(gateway: Gateway, channel: TwilioChannel) -> None:
    sent = await channel.send(NUMBER, "123456 & more", message_id="sms_1")
    (taken,) = gateway.taken
    assert sent == MessageAccepted(taken.id)
    assert taken.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert taken.headers["authorization"] == basic(ACCOUNT, TOKEN)
    assert (taken.to, taken.text, taken.callback) == (NUMBER, "123456 & more", CALLBACK)
    assert b"From=%2B15550100" in taken.body


async def test_a_messaging_service_can_be_the_sender(gateway: Gateway) -> None:
    channel = channel_to(f"{gateway.url}/", sender="MG123")
    await channel.send(NUMBER, "x", message_id="sms_1")
    assert b"MessagingServiceSid=MG123" in gateway.taken[0].body
    assert b"From=" not in gateway.taken[0].body
    await channel.close()


@pytest.mark.parametrize("code", [21211, 21408, 21610, 21614])
async def test_a_number_that_is_refused_is_not_tried_again(
    gateway: Gateway, channel: TwilioChannel, code: int
) -> None:
    gateway.answers.append((400, json.dumps({"code": code, "message": f"{NUMBER} is wrong"}).encode()))
    answer = await channel.send(NUMBER, "x", message_id="sms_1")
    assert isinstance(answer, MessageRefused)
    assert str(code) in answer.reason
    assert NUMBER not in answer.reason


@pytest.mark.parametrize(
    ("status", "body", "final"),
    [
        (429, b'{"code": 20429}', False),
        (400, b'{"code": 20429}', False),
        (401, b'{"code": 20003}', False),
        (404, b'{"code": 20404}', False),
        (500, b"", False),
        (503, b"<html>", False),
        (301, b"", False),
        (400, b'{"code": 21602}', True),
        (400, b'{"code": "x"}', True),
        (400, b"not json", True),
        (400, b"[" * 5000, True),
    ],
)
async def test_answers_are_final_or_not(
    gateway: Gateway, channel: TwilioChannel, status: int, body: bytes, final: bool
) -> None:
    gateway.answers.append((status, body))
    answer = await channel.send(NUMBER, "x", message_id="sms_1")
    assert isinstance(answer, MessageRefused if final else MessageDelayed)


async def test_a_message_without_an_id_is_sent_all_the_same(gateway: Gateway, channel: TwilioChannel) -> None:
    gateway.answers.append((201, b"{}"))
    assert await channel.send(NUMBER, "x", message_id="sms_1") == MessageAccepted("sms_1")


def test_the_published_signature() -> None:
    # the example of Twilio's documentation of request validation
    form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675310"),
        ("Digits", "1234"),
        ("From", "+14158675310"),
        ("To", "+18005551212"),
    ]
    made = signature(Secret("12345"), "https://example.com/myapp.php?foo=1&bar=2", form)
    assert made == "L/OH5YylLD5NRKLltdqwSvS0BnU="


def _report(
    channel: TwilioChannel, body: str, signed: list[tuple[str, str]], token: Secret = TOKEN
) -> Report | Unsigned | None:
    return channel.report({twilio.SIGNATURE: signature(token, CALLBACK, signed)}, body.encode(), NOW)


async def test_reports_tell_what_became_of_a_message(channel: TwilioChannel) -> None:
    assert _report(
        channel,
        "MessageSid=SM1&MessageStatus=delivered",
        [("MessageSid", "SM1"), ("MessageStatus", "delivered")],
    ) == Report("SM1", None)
    failed = _report(
        channel,
        "MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003",
        [("ErrorCode", "30003"), ("MessageSid", "SM1"), ("MessageStatus", "undelivered")],
    )
    assert isinstance(failed, Report)
    assert failed.problem is not None
    assert "30003" in failed.problem
    for body, signed in (
        ("MessageSid=SM1&MessageStatus=sent", [("MessageSid", "SM1"), ("MessageStatus", "sent")]),
        ("MessageStatus=failed", [("MessageStatus", "failed")]),
        ("", []),
    ):
        assert _report(channel, body, signed) is None


async def test_reports_that_are_not_signed_by_the_gateway_are_not_believed(channel: TwilioChannel) -> None:
    body, signed = "MessageSid=SM1&MessageStatus=failed", [("MessageSid", "SM1"), ("MessageStatus", "failed")]
    assert _report(channel, body, signed) == Report("SM1", SAID)
    assert _report(channel, body, signed, token=Secret("other")) == Unsigned()
    assert _report(channel, body.replace("SM1", "SM2"), signed) == Unsigned()
    assert channel.report({}, body.encode(), NOW) == Unsigned()
    assert channel.report({twilio.SIGNATURE: "é"}, body.encode(), NOW) == Unsigned()
    assert channel.report({twilio.SIGNATURE: "x"}, b"\xff=1", NOW) == Unsigned()
    assert _report(channel, "&".join(f"a{n}=1" for n in range(200)), []) == Unsigned()
