"""Mail goes only to the configured server, verified against the certificates that the machine trusts."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from doorward.adapters.mail.smtp import MailDelayed, SmtpSender, SmtpServer
from doorward.core.model.message import EmailMessage
from tests import ports

pytestmark = pytest.mark.anyio
MESSAGE = EmailMessage(subject="Your code", text="It is 123456.", html="<p>It is 123456.</p>", code="123456")


class Inbox:
    """Counts the mails received over TLS."""

    # ruff: noqa: N802 - the mail server calls its hooks by the commands' names

    def __init__(self) -> None:
        self.encrypted = 0

    async def handle_DATA(self, _server: SMTP, session: Session, _envelope: Envelope) -> str:
        self.encrypted += session.ssl is not None
        return "250 OK"


@pytest.mark.parametrize("name", ["127.0.0.1", "mail.elsewhere.example"])
async def test_a_valid_certificate_of_another_host_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    authority = trustme.CA()
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(server_side)
    inbox = Inbox()
    running = Controller(inbox, hostname="127.0.0.1", port=ports.free_port(), tls_context=server_side)
    running.start()
    try:
        server = SmtpServer(
            host="127.0.0.1", sender="no-reply@auth.example.com", port=running.port, tls="starttls"
        )
        if name == "127.0.0.1":
            await SmtpSender(server).send("ada@example.com", MESSAGE, mail_id="m", at=1_800_000_000)
            assert inbox.encrypted == 1
        else:
            with pytest.raises(MailDelayed):
                await SmtpSender(server).send("ada@example.com", MESSAGE, mail_id="m", at=1_800_000_000)
            assert inbox.encrypted == 0
    finally:
        running.stop()
