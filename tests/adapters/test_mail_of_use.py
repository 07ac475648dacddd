"""Mail is sent only while its code is valid, and only to reachable addresses."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage as MimeMessage
from typing import cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.mail.delivery import MailWorker
from doorward.adapters.mail.queue import SealedMailQueue
from doorward.adapters.mail.smtp import MailDelayed, MailRefused, SmtpSender, SmtpServer
from doorward.adapters.metrics import PrometheusMetrics
from doorward.adapters.random import SystemRandom
from doorward.core.model.message import EmailMessage, OutgoingMail
from doorward.storage.sql.store import Store
from tests import ports

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000
SEALER = KeyedSealer(b"k" * 32)
MESSAGE = EmailMessage(
    subject="Your code", text="It is 123456.", html="<p>It is <b>123456</b>.</p>", code="123456"
)


class Inbox:
    """The received mail of a server."""

    def __init__(self) -> None:
        self.mails: list[MimeMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the mail server's name
        content = cast("bytes", envelope.content)
        self.mails.append(cast("MimeMessage", email.message_from_bytes(content, policy=email.policy.default)))
        return "250 OK"


class Desk:
    """The outbox of a store, whose mail server fails while `error` is set; the time is `time`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.time = NOW
        self.sent: list[str] = []
        self.error: Exception | None = None
        self.spent: dict[str, str] = {}
        self.metrics = PrometheusMetrics()
        self.mail_queue = SealedMailQueue(
            sealer=SEALER, random=SystemRandom(), render=lambda _kind, _locale, _values: MESSAGE
        )
        self.worker = MailWorker(
            store=store, sealer=SEALER, sender=self, clock=self, metrics=self.metrics, spent=self.why
        )

    def now(self) -> int:
        return self.time

    async def why(self, ticket_id: str, _now: int) -> str | None:
        return self.spent.get(ticket_id)

    async def send(self, to: str, message: EmailMessage, *, mail_id: str, at: int) -> None:
        assert (mail_id, at, message.code) != ("", 0, None)
        if self.error is not None:
            raise self.error
        self.sent.append(to)

    async def post(self, to: str = "ada@example.com", ticket_id: str | None = None) -> OutgoingMail:
        mail = self.mail_queue.write(
            "verify_address", to=to, locale=None, now=self.time, values={}, ticket_id=ticket_id
        )
        assert await self.store.commit(self.store.messages.insert_mail(mail))
        return mail

    async def row(self, mail: OutgoingMail) -> OutgoingMail:
        return next(row for row in await self.store.messages.recent_mail() if row.id == mail.id)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


async def test_a_code_that_is_no_longer_valid_is_not_sent(desk: Desk) -> None:
    desk.error = MailDelayed("no server")
    spent, good = await desk.post(ticket_id="tkt_1"), await desk.post("eve@example.com", ticket_id="tkt_2")
    await desk.worker.send_due()
    desk.spent["tkt_1"] = "its code was used or replaced"
    desk.error = None
    desk.time += 60
    await desk.worker.send_due()
    assert desk.sent == ["eve@example.com"]
    assert (await desk.row(spent)).failed_at == desk.time
    assert (await desk.row(good)).sent_at == desk.time
    desk.time += 10_000
    assert await desk.worker.send_due() == 0


async def test_a_code_of_the_previous_version_is_sent_for_ten_minutes(desk: Desk) -> None:
    desk.error = MailDelayed("no server")
    mail = await desk.post()
    await desk.worker.send_due()
    desk.error = None
    desk.time = NOW + 600
    await desk.worker.send_due()
    assert desk.sent == []
    assert (await desk.row(mail)).failed_at == NOW + 600
    young = await desk.post()
    await desk.worker.send_due()
    assert (await desk.row(young)).sent_at is not None


@pytest.mark.parametrize("offered", [True, False])
async def test_an_address_beyond_ascii_is_sent_with_smtputf8_or_refused_at_once(offered: bool) -> None:
    inbox = Inbox()
    running = Controller(inbox, hostname="127.0.0.1", port=ports.free_port(), enable_SMTPUTF8=offered)
    running.start()
    try:
        sender = SmtpSender(
            SmtpServer(
                host="127.0.0.1",
                sender="Åsa, Inc. <no-reply@auth.example.com>",
                port=running.port,
                tls="none",
                timeout=5,
            )
        )
        assert await sender.probe() is offered
        if offered:
            assert "OK" in await sender.send("müller@example.com", MESSAGE, mail_id="mai_1", at=NOW)
            (mail,) = inbox.mails
            assert mail["To"] == "müller@example.com"
            assert mail["From"] == '"Åsa, Inc." <no-reply@auth.example.com>'
        else:
            with pytest.raises(MailRefused, match="SMTPUTF8"):
                await sender.send("müller@example.com", MESSAGE, mail_id="mai_1", at=NOW)
            assert inbox.mails == []
    finally:
        running.stop()
