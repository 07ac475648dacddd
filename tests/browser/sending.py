"""A server that sends its codes for real: by SMTP to a mail server, and by HTTP to a gateway, both of which only keep them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from doorward.adapters.os_user import os_actor
from doorward.core.model.secret import Secret
from doorward.features.admin import build as admin
from doorward.features.services import Services
from doorward_demo.dev.places import Places
from tests import gateway, ports
from tests.browser.person import PASSWORD
from tests.flows.running import Running
from tests.flows.running import running as server
from tests.waiting import until


@dataclass
class Mailbox:
    """A mail server. It takes every mail, or answers each recipient with `answer`."""

    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    answer: str = "250 OK"

    # ruff: noqa: N802 - the library calls its hooks by the commands' names

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep a mail."""
        content = cast("bytes", envelope.content)
        self.mails.append(cast("EmailMessage", message_from_bytes(content, policy=policy.default)))
        return "250 OK"

    def code(self, email: str, subject: str) -> str:
        """The code in the newest mail with this subject, when it has come."""
        # printed in groups, with non-breaking spaces
        words = self.text(email, subject).replace("\u00a0", "").split()
        (code,) = [word for word in words if word.isdigit() and len(word) == 6]
        return code

    def text(self, email: str, subject: str) -> str:
        """The text of the newest mail with this subject, when it has come."""

        def found() -> list[EmailMessage]:
            return [mail for mail in self.mails if mail["to"] == email and subject in mail["subject"]]

        until(lambda: bool(found()), lambda: str([mail["subject"] for mail in self.mails]))
        body = found()[-1].get_body(("plain",))
        assert body is not None
        return body.get_content()


class Addresses(Places, frozen=True):
    """The server is opened under its address: here no passkey is needed."""

    @property
    def issuer(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Sending:
    """The server, where its messages go, and how a test makes people."""

    running: Running
    mailbox: Mailbox
    gateway: gateway.Gateway

    @property
    def places(self) -> Places:
        """The addresses for `tests.browser.person`."""
        return Addresses(self.running.port)

    def person(self, email: str) -> None:
        """An account with `PASSWORD`."""

        async def work(services: Services) -> None:
            people = services.get(admin.people)
            await people.create(os_actor(), email, name="Grace Host", password=Secret(PASSWORD))

        # in a thread of its own: the browser's driver runs its event loop in this one
        with ThreadPoolExecutor(1) as thread:
            thread.submit(self.running.operate, work).result()

    def texted(self, number: str, count: int) -> str:
        """The code in the `count`th text message to a number, when it has come."""

        def found() -> list[str]:
            return [one.code for one in self.gateway.taken if one.to == number]

        until(lambda: len(found()) >= count, lambda: str(self.gateway.texts))
        return found()[count - 1]

    def count(self, event: str, kind: str) -> int:
        """How often the log has this event, about a message of this kind. The tests of a file have one log."""
        return sum(one["event"] == event and one.get("kind") == kind for one in self.running.events())

    def happened(self, event: str, kind: str, *, before: int) -> None:
        """Wait for one more of the events that `count` counts."""
        until(lambda: self.count(event, kind) > before, lambda: self.running.log.getvalue()[-2000:])


@contextmanager
def sending(folder: Path) -> Iterator[Sending]:
    """The server with all that it needs, for the duration of the block."""
    mailbox = Mailbox()
    listening = Controller(mailbox, hostname="127.0.0.1", port=ports.free_port())
    listening.start()
    with gateway.running() as taking:
        sections: dict[str, dict[str, Any]] = {
            "second_factor": {"kinds": ["totp", "sms", "email_code"]},
            "mail": {
                "host": "127.0.0.1",
                "port": listening.port,
                "tls": "none",
                "sender": "auth@example.com",
            },
            "sms": {
                "channel": "webhook",
                "url": taking.url,
                "token": gateway.TOKEN.reveal(),
                "countries": ["DE"],
            },
        }
        try:
            with server(folder, sections=sections) as running:
                yield Sending(running, mailbox, taking)
                assert running.troubles() == []
        finally:
            listening.stop()
