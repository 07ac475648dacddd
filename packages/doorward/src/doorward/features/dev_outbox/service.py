"""Outbox of a development server: the mails and text messages that would have been sent, decrypted."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from doorward.core.model.message import EMAIL_PURPOSE, EmailMessage
from doorward.core.model.text_message import SMS_PURPOSE, Sms
from doorward.core.ports.keys import Sealer
from doorward.storage.sql.store import Store

_decode_mail = msgspec.json.Decoder(EmailMessage).decode
_decode_sms = msgspec.json.Decoder(Sms).decode


class KeptMessage(Struct, frozen=True):
    """A message in clear text; a text message has no `subject`. `at` in seconds."""

    to: str
    subject: str | None
    text: str
    at: int
    code: str | None


async def recent(store: Store, sealer: Sealer, most: int) -> list[KeptMessage]:
    """The last `most` messages, newest first. One sealed under another secret key (an old database beside a new key file) is
    left out."""
    found: list[KeptMessage] = []
    for mail in await store.messages.recent_mail(most):
        try:
            message = _decode_mail(sealer.open(EMAIL_PURPOSE, mail.id, mail.sealed))
        except ValueError:
            continue
        found.append(KeptMessage(mail.to, message.subject, message.text, mail.created_at, message.code))
    for row in await store.outgoing_sms.recent(most):
        try:
            sms = _decode_sms(sealer.open(SMS_PURPOSE, row.id, row.sealed))
        except ValueError:
            continue
        found.append(KeptMessage(sms.to, None, sms.text, row.created_at, sms.code))
    return sorted(found, key=lambda message: message.at, reverse=True)[:most]
