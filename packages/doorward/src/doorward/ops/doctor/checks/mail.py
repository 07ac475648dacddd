"""Checks of outgoing mail. Part of `doctor`; sends nothing but the requested test mail."""

from __future__ import annotations

from doorward.adapters import trust
from doorward.adapters.clock import SystemClock
from doorward.adapters.mail.smtp import MailDelayed, MailRefused, SmtpSender
from doorward.adapters.random import SystemRandom
from doorward.app.jobs import mail_server
from doorward.core.login_name import normalise_email
from doorward.core.model.finding import Finding, failed, passed
from doorward.core.model.message import EmailMessage
from doorward.core.web_origin import loopback
from doorward.settings import Settings

_CHECK = "Check mail.host, mail.port, mail.tls and the password."


async def mail(settings: Settings) -> Finding:
    """Whether the mail server answers and accepts our credentials."""
    server = mail_server(settings)
    if server is None:
        if settings.development:
            return passed(f"kept in the outbox: {settings.issuer}/_dev/outbox")
        return failed(
            "no mail server: mail stays in the outbox, so nobody can sign up or reset a password",
            "Set mail.host and mail.sender.",
        )
    try:
        offered = await SmtpSender(server, context=trust.context(settings.ca_file)).probe()
    except MailDelayed as problem:
        return failed(f"{server.host}: {problem}", _CHECK)
    if server.tls == "none" and not loopback(server.host):
        return failed(f"{server.host} answers, but codes travel unencrypted", 'Set mail.tls = "starttls".')
    if settings.mail.smtputf8 and not offered:
        return failed(
            f"{server.host} answers, and does not offer SMTPUTF8: mail to addresses beyond ASCII is refused",
            "Set mail.smtputf8 = false, so that nobody signs up with one, or take another mail server.",
        )
    return passed(f"{server.host} answers ({server.tls})")


async def test_mail(settings: Settings, to: str) -> Finding:
    """Send one mail to `to` as the server sends its own, and report the mail server's answer."""
    address = normalise_email(to)
    if address is None:
        return failed(f"{to} is no e-mail address", "It should look like ada@example.com.")
    server = mail_server(settings)
    if server is None:
        return failed("there is no mail server to hand it to", "Set mail.host and mail.sender.")
    now = SystemClock().now()
    said = (
        f"This mail was sent by `doorward doctor --mail-to` of {settings.issuer}.\n"
        "Where it arrived, codes and links arrive too.\n"
    )
    message = EmailMessage(subject=f"Test mail from {settings.brand.name}", text=said, html="")
    mail_id = SystemRandom().new_id("mai")
    try:
        answer = await SmtpSender(server, context=trust.context(settings.ca_file)).send(
            address, message, mail_id=mail_id, at=now
        )
    except MailRefused as problem:
        return failed(
            f"{server.host}: {problem}", "Check mail.sender, and whether it may send to that address."
        )
    except MailDelayed as problem:
        return failed(f"{server.host}: {problem}", _CHECK)
    return passed(f"{server.host} took it for {address} and said: {answer or 'nothing'}")
