"""The mail worker of a server under test, which keeps what it would send; and what happens with the account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage as MimeMessage
from typing import cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from doorward.adapters.mail.delivery import MailWorker
from doorward.adapters.mail.smtp import SmtpSender, SmtpServer
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.message import EmailMessage, OwnerMail
from doorward.core.ports.mail_queue import owner_mail
from doorward.features.notices.build import notice_bundles
from tests import ports
from tests.browsing import CHROME
from tests.front_channel import Front

LINK = re.compile(r"https://[^\s]+(/not-me\?token=[^\s]+)")


class Sink:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[MimeMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library calls it so
        """Keep a mail."""
        content = cast("bytes", envelope.content)
        self.mails.append(cast("MimeMessage", message_from_bytes(content, policy=policy.default)))
        return "250 OK"

    def texts(self) -> list[str]:
        """The plain texts that came since the last call."""
        bodies = [mail.get_body(("plain",)) for mail in self.mails]
        self.mails.clear()
        return [body.get_content() for body in bodies if body is not None]


@contextmanager
def mail_server() -> Iterator[tuple[Sink, SmtpSender]]:
    """A mail server, and what sends to it."""
    sink, port = Sink(), ports.free_port()
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        server = SmtpServer(host="127.0.0.1", port=port, sender="doorward@example.com", tls="none")
        yield sink, SmtpSender(server)
    finally:
        controller.stop()


@dataclass
class Outbox:
    """`sent` are (address, message) of the mails that were sent; sending fails with `error` while there is one."""

    front: Front
    sent: list[tuple[str, EmailMessage]] = field(default_factory=list[tuple[str, EmailMessage]])
    ids: list[str] = field(default_factory=list[str])
    error: Exception | None = None
    smtp: SmtpSender | None = None

    def worker(self) -> MailWorker:
        """One of any number of workers."""
        services = self.front.services
        return MailWorker(
            store=services.store,
            sealer=services.sealer,
            sender=self,
            clock=self.front.clock,
            metrics=services.metrics,
            bundles=services.get(notice_bundles),
        )

    async def send(self, to: str, message: EmailMessage, *, mail_id: str, at: int) -> None:
        """Take a mail."""
        if self.error is not None:
            raise self.error
        if self.smtp is not None:
            await self.smtp.send(to, message, mail_id=mail_id, at=at)
        self.ids.append(mail_id)
        self.sent.append((to, message))

    async def run(self, seconds: int = 0) -> list[tuple[str, EmailMessage]]:
        """Turn the clock, send what is due, and return it."""
        self.front.clock.time += seconds
        before, worker = len(self.sent), self.worker()
        while await worker.send_due() > 0:
            pass
        return self.sent[before:]

    async def happens(
        self,
        kind: str,
        account: Account,
        *,
        origin: str = "192.0.2.7",
        to: str | None = None,
        **values: object,
    ) -> OwnerMail | None:
        """Commit a notice of this kind."""
        front = self.front
        caller = Caller(origin, CHROME, "req-1")
        mail = owner_mail(front.services.mail, kind, account, caller, front.now, to=to, **values)
        assert await front.store.commit(front.store.messages.insert_mail(mail))
        return mail


def link_of(message: EmailMessage) -> str:
    """The path of the page "This wasn't me" in a mail."""
    found = LINK.search(message.text)
    assert found, message.text
    assert found.group(0) in message.html.replace("&amp;", "&")
    return found.group(1)
