"""Mail over a real SMTP server: sent once, and kept when it cannot be sent."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from collections.abc import Iterator
from email.message import EmailMessage as MimeMessage
from typing import Any, cast

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from msgspec import structs

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.mail.delivery import MAIL_LIFE, MailWorker, pause
from doorward.adapters.mail.queue import SealedMailQueue, open_message
from doorward.adapters.mail.smtp import MailDelayed, MailRefused, SmtpSender, SmtpServer
from doorward.adapters.metrics import PrometheusMetrics
from doorward.adapters.random import SystemRandom
from doorward.core.model.message import EmailMessage, OutgoingMail
from doorward.core.model.secret import Secret
from doorward.storage.sql.store import Store
from tests import ports
from tests.manual_clock import NOW, ManualClock

pytestmark = pytest.mark.anyio
SEALER = KeyedSealer(b"k" * 32)
MESSAGE = EmailMessage(
    subject="Your code", text="It is 123456.", html="<p>It is <b>123456</b>.</p>", code="123456"
)


class Inbox:
    """The received mail of an SMTP server; `answer` is its response to the next mail."""

    # ruff: noqa: N802 - the mail server calls its hooks by the commands' names

    def __init__(self) -> None:
        self.mails: list[MimeMessage] = []
        self.answer = "250 OK"
        self.recipient = "250 OK"
        self.encrypted: list[bool] = []

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            content = cast("bytes", envelope.content)
            self.mails.append(
                cast("MimeMessage", email.message_from_bytes(content, policy=email.policy.default))
            )
            self.encrypted.append(session.ssl is not None)
        return self.answer


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


def controller(inbox: Inbox, **options: Any) -> Controller:
    made = Controller(inbox, hostname="127.0.0.1", port=ports.free_port(), **options)
    made.start()
    return made


def smtp(running: Controller, *, sender: str = "no-reply@auth.example.com", **how: Any) -> SmtpServer:
    return SmtpServer(host="127.0.0.1", port=running.port, sender=sender, **how)


@pytest.fixture
def plain(inbox: Inbox) -> Iterator[SmtpServer]:
    running = controller(inbox)
    yield smtp(running, sender="Doorward <no-reply@auth.example.com>", tls="none")
    running.stop()


async def test_a_mail_arrives_as_it_was_written(inbox: Inbox, plain: SmtpServer) -> None:
    message = structs.replace(MESSAGE, subject="Größe\n und Code", text="Über 123456 → gut.")
    await SmtpSender(plain).send("ada@example.com", message, mail_id="mai_1", at=NOW)
    (mail,) = inbox.mails
    assert mail["Subject"] == "Größe und Code"
    assert mail["From"] == "Doorward <no-reply@auth.example.com>"
    assert mail["To"] == "ada@example.com"
    assert mail["Message-ID"] == "<mai_1@auth.example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    body, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert body is not None
    assert html is not None
    assert "Über 123456 → gut." in body.get_content()
    assert "<b>123456</b>" in html.get_content()


@pytest.mark.parametrize(
    "to", ["ada@example.com\r\nBcc: all@example.com", "ada@example.com\nX: y", "no address", "a@b@c"]
)
async def test_an_address_can_never_inject_a_header(inbox: Inbox, plain: SmtpServer, to: str) -> None:
    with pytest.raises(MailRefused):
        await SmtpSender(plain).send(to, MESSAGE, mail_id="mai_1", at=NOW)
    assert inbox.mails == []


@pytest.mark.parametrize(
    ("answer", "recipient", "error"),
    [
        ("554 spam", "250 OK", MailRefused),
        ("451 later", "250 OK", MailDelayed),
        ("250 OK", "550 unknown", MailRefused),
        ("250 OK", "450 greylisted", MailDelayed),
    ],
)
async def test_the_servers_status_decides_about_a_retry(
    inbox: Inbox, plain: SmtpServer, answer: str, recipient: str, error: type[Exception]
) -> None:
    inbox.answer, inbox.recipient = answer, recipient
    with pytest.raises(error):
        await SmtpSender(plain).send("ada@example.com", MESSAGE, mail_id="mai_1", at=NOW)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_mail_is_encrypted_as_configured_and_never_less(inbox: Inbox, tls: Any) -> None:
    authority = trustme.CA()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    options: dict[str, Any] = {"ssl_context": server_side} if tls == "tls" else {"tls_context": server_side}
    if tls == "starttls":
        running = controller(inbox, **options)
    else:
        running = controller(inbox)  # a plain server where TLS is expected; the real one below
    try:
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        wait = 20 if tls == "starttls" else 3
        server = smtp(running, tls=tls, timeout=wait)
        if tls == "starttls":
            await SmtpSender(server, context=trusting).send("ada@example.com", MESSAGE, mail_id="m", at=NOW)
            assert inbox.encrypted == [True]
        # a certificate of an unknown issuer, or no TLS at all: nothing is sent
        with pytest.raises(MailDelayed):
            await SmtpSender(server).send("ada@example.com", MESSAGE, mail_id="m", at=NOW)
        assert len(inbox.mails) == (1 if tls == "starttls" else 0)
    finally:
        running.stop()


async def test_a_server_without_starttls_gets_nothing(inbox: Inbox, plain: SmtpServer) -> None:
    with pytest.raises(MailDelayed):
        await SmtpSender(structs.replace(plain, tls="starttls")).send(
            "ada@example.com", MESSAGE, mail_id="m", at=NOW
        )
    assert inbox.mails == []


async def test_a_wrong_password_is_reported_without_the_password(inbox: Inbox) -> None:
    running = controller(
        inbox, authenticator=lambda *_: AuthResult(success=False, handled=False), auth_required=True, auth_require_tls=False
    )  # fmt: skip
    try:
        server = smtp(running, user="ada", password=Secret("hunter2"), tls="none", timeout=5)
        with pytest.raises(MailDelayed, match="user name and password") as caught:
            await SmtpSender(server).probe()
        assert "hunter2" not in str(caught.value)
    finally:
        running.stop()


async def test_the_probe_connects_and_quits(inbox: Inbox, plain: SmtpServer, free_port: int) -> None:
    await SmtpSender(plain).probe()
    assert inbox.mails == []
    with pytest.raises(MailDelayed):
        await SmtpSender(structs.replace(plain, port=free_port)).probe()


def queue(message: EmailMessage) -> SealedMailQueue:
    return SealedMailQueue(
        sealer=SEALER, random=SystemRandom(), render=lambda _kind, _locale, _values: message
    )


class Desk:
    """The outbox of a store, with a controlled sender."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock()
        self.sent: list[tuple[str, EmailMessage]] = []
        self.error: Exception | None = None
        self.sending = asyncio.Event()
        self.goes_through = asyncio.Event()
        self.goes_through.set()
        self.mail_queue = queue(MESSAGE)
        self.metrics = PrometheusMetrics()
        self.worker = self.another(interval=0.01)

    def another(self, *, interval: float = 1.0) -> MailWorker:
        known: dict[str, Any] = {"store": self.store, "clock": self.clock, "metrics": self.metrics}
        return MailWorker(sealer=SEALER, sender=self, interval=interval, **known)

    async def send(self, to: str, message: EmailMessage, *, mail_id: str, at: int) -> None:
        assert (mail_id, at) != ("", 0)
        self.sending.set()
        await asyncio.sleep(0.01)
        await self.goes_through.wait()
        if self.error is not None:
            raise self.error
        self.sent.append((to, message))

    async def post(self, to: str = "ada@example.com") -> OutgoingMail:
        mail = self.mail_queue.write("verify_address", to=to, locale=None, now=self.clock.time, values={})
        assert await self.store.commit(self.store.messages.insert_mail(mail))
        return mail

    async def row(self, mail: OutgoingMail) -> OutgoingMail:
        return next(row for row in await self.store.messages.recent_mail() if row.id == mail.id)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


@pytest.mark.requirement(83)
async def test_the_code_in_a_mail_is_sealed_in_the_database(desk: Desk) -> None:
    mail = await desk.post()
    assert b"123456" not in (await desk.row(mail)).sealed
    assert open_message(SEALER, mail) == MESSAGE
    with pytest.raises(ValueError, match="not sealed for this"):
        open_message(SEALER, structs.replace(mail, id="mai_2"))


async def test_due_mail_is_sent_once_by_one_of_many_workers(desk: Desk) -> None:
    mails = [await desk.post(f"p{number}@example.com") for number in range(20)]
    others = [desk.another() for _ in range(4)]
    for _ in range(4):
        await asyncio.gather(*(worker.send_due() for worker in (desk.worker, *others)))
    assert sorted(to for to, _ in desk.sent) == sorted(mail.to for mail in mails)
    assert (await desk.row(mails[0])).sent_at == NOW


async def test_a_delayed_mail_waits_longer_each_time_and_is_given_up_after_a_day(desk: Desk) -> None:
    desk.error = MailDelayed("no server")
    desk.mail_queue = queue(structs.replace(MESSAGE, code=None))
    mail = await desk.post()
    waits: list[int] = []
    for _ in range(60):
        await desk.worker.send_due()
        row = await desk.row(mail)
        if row.failed_at is not None:
            break
        waits.append(row.next_try_at - desk.clock.time)
        desk.clock.time = row.next_try_at
    assert waits[:6] == [5, 15, 60, 300, 900, 3600]
    assert set(waits[6:]) == {3600}
    assert desk.clock.time - NOW >= MAIL_LIFE
    assert await desk.worker.send_due() == 0


async def test_a_refused_mail_is_not_retried(desk: Desk) -> None:
    desk.error = MailRefused("unknown")
    mail = await desk.post()
    await desk.worker.send_due()
    assert (await desk.row(mail)).failed_at == NOW
    desk.clock.time += 10_000
    assert await desk.worker.send_due() == 0


async def test_a_damaged_row_does_not_hold_up_the_others(desk: Desk) -> None:
    bad = OutgoingMail(
        id="mai_0", to="x@example.com", kind="x", sealed=b"x" * 60, created_at=NOW, next_try_at=NOW
    )
    await desk.store.commit(desk.store.messages.insert_mail(bad))
    await desk.post()
    await desk.worker.send_due()
    assert [to for to, _ in desk.sent] == ["ada@example.com"]
    assert (await desk.row(bad)).failed_at == NOW


async def test_the_mail_of_a_worker_that_died_is_sent_by_another(desk: Desk) -> None:
    mail = await desk.post()
    desk.goes_through.clear()
    task = asyncio.create_task(desk.worker.send_due())
    await desk.sending.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert desk.sent == []
    desk.goes_through.set()
    desk.clock.time += 121
    await desk.worker.send_due()
    assert len(desk.sent) == 1
    assert (await desk.row(mail)).sent_at is not None


def test_pauses_grow_and_then_stay() -> None:
    assert [pause((1, 2, 3), tries) for tries in (1, 2, 3, 4, 9)] == [1, 2, 3, 3, 3]
