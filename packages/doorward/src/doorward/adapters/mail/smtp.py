"""SMTP delivery (RFC 5321), with TLS as configured and never less."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, final

from msgspec import Struct

from doorward.adapters import trust
from doorward.adapters.background import loaded
from doorward.core.lean_import import Deferred
from doorward.core.model.mailbox import sender_of
from doorward.core.model.message import EmailMessage
from doorward.core.model.secret import Secret

if TYPE_CHECKING:
    from email import errors, policy, utils
    from email import message as mime_message
    from email.headerregistry import Address

    import aiosmtplib
else:
    # many servers have no mail server
    aiosmtplib = Deferred("aiosmtplib")
    errors, utils, mime_message = Deferred("email.errors"), Deferred("email.utils"), Deferred("email.message")
    # its tables are large
    policy = Deferred("email.policy")

_DEFAULT_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class SmtpServer(Struct, frozen=True, kw_only=True):
    """The mail server. `sender` may contain a name: `Doorward <no-reply@example.com>`."""

    host: str
    sender: str
    port: int | None = None
    user: str | None = None
    password: Secret | None = None
    tls: Literal["starttls", "tls", "none"] = "starttls"
    timeout: int = 20


class MailRefused(Exception):
    """The server will never accept this mail (a 5xx answer, RFC 5321 §4.2.1): a retry is useless. The text is safe to
    log."""


class MailDelayed(Exception):
    """The server did not accept the mail now. The text is safe to log."""


@final
class SmtpSender:
    """Sends messages to one SMTP server."""

    def __init__(self, server: SmtpServer, *, context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._context = context if context is not None else trust.context()

    async def send(self, to: str, message: EmailMessage, *, mail_id: str, at: int) -> str:
        """Send one mail; returns the server's answer. Raises `MailRefused` or `MailDelayed`. `mail_id` becomes the
        Message-ID, so that mail programs recognise a mail sent twice after a crash as one.

        An address with characters beyond ASCII before the @ needs SMTPUTF8 (RFC 6531), and is refused if the server
        does not offer it.
        """
        await loaded(aiosmtplib, policy, errors, utils, mime_message)
        try:
            mime = compose(self._server.sender, to, message, mail_id=mail_id, at=at)
        except (ValueError, errors.MessageError):
            raise MailRefused("the address or the subject cannot be written into a mail header") from None
        try:
            _, answer = await aiosmtplib.send(mime, **self._connection(timeout=self._server.timeout))
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = {recipient.code for recipient in error.recipients}
            if all(code >= 500 for code in codes):
                raise MailRefused(f"the recipient was refused ({sorted(codes)})") from None
            raise MailDelayed(f"the recipient was put off ({sorted(codes)})") from None
        except aiosmtplib.SMTPAuthenticationError as error:
            # the operator must fix wrong credentials: the mail waits
            raise MailDelayed(f"the mail server refused our user name and password ({error.code})") from None
        except aiosmtplib.SMTPResponseException as error:
            if error.code >= 500 and isinstance(error, aiosmtplib.SMTPDataError):
                raise MailRefused(f"the mail server refused the mail ({error.code})") from None
            raise MailDelayed(f"the mail server answered {error.code}") from None
        except aiosmtplib.SMTPNotSupported as error:
            if "SMTPUTF8" not in str(error):
                raise MailDelayed(f"the mail server lacks what is needed: {error}") from None
            raise MailRefused(
                "the address has letters beyond ASCII, and the mail server does not offer SMTPUTF8"
            ) from None
        except UnicodeError:
            raise MailDelayed("the name of this machine cannot be said to the mail server") from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise MailDelayed(f"no mail server at {self._server.host}: {trust.why(error)}") from None
        return " ".join(answer.split())[:200]

    async def probe(self) -> bool:
        """Connect, greet, sign in and quit, for `doorward doctor`. Returns whether the server accepts addresses beyond
        ASCII (SMTPUTF8). Raises `MailDelayed`."""
        await loaded(aiosmtplib)
        client = aiosmtplib.SMTP(**self._connection(timeout=min(self._server.timeout, 10)))
        try:
            async with client:
                await client.noop()
                return client.supports_extension("smtputf8")
        except aiosmtplib.SMTPAuthenticationError as error:
            raise MailDelayed(f"the mail server refused our user name and password ({error.code})") from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise MailDelayed(trust.why(error)) from None

    def _connection(self, *, timeout: int) -> dict[str, Any]:
        server = self._server
        return {
            "hostname": server.host,
            "port": server.port or _DEFAULT_PORTS[server.tls],
            "username": server.user,
            "password": server.password.reveal() if server.password else None,
            "use_tls": server.tls == "tls",
            "start_tls": server.tls == "starttls",
            "timeout": timeout,
            "tls_context": self._context,
        }


def compose(
    sender: str, to: str, message: EmailMessage, *, mail_id: str, at: int
) -> mime_message.EmailMessage:
    """The message (RFC 5322). The email package writes header values and refuses line breaks (header injection)."""
    origin = sender_of(sender)
    mime = mime_message.EmailMessage(policy=policy.SMTP)
    mime["From"] = origin
    mime["To"] = _recipient(to)
    mime["Subject"] = " ".join(message.subject.split())
    mime["Date"] = utils.format_datetime(datetime.fromtimestamp(at, UTC))
    mime["Message-ID"] = f"<{mail_id}@{origin.domain}>"
    # RFC 3834 §5: prevents answers of vacation responders
    mime["Auto-Submitted"] = "auto-generated"
    mime.set_content(message.text)
    if message.html:
        mime.add_alternative(message.html, subtype="html")
    return mime


def _recipient(to: str) -> Address:
    """The address from `core/login_name.py`, whose domain is ASCII. The email package rejects a local part beyond ASCII
    when it parses an address, but writes it correctly from separate parts. Raises ValueError for an invalid address."""
    from email.headerregistry import Address

    if to.isascii():
        return Address(addr_spec=to)
    local, _, domain = to.rpartition("@")
    if not local or not domain.isascii() or not local.isprintable() or set(local) & set(' "(),:;<>@[]\\'):
        raise ValueError("no address")
    return Address(username=local, domain=domain)
