"""Outbox of a development server: the mails that would have been sent, decrypted."""

from __future__ import annotations

import msgspec

from doorward.core.model.message import EMAIL_PURPOSE, EmailMessage, OutgoingMail
from doorward.core.ports.keys import Sealer
from doorward.storage.sql.store import Store

_decode = msgspec.json.Decoder(EmailMessage).decode


async def recent(store: Store, sealer: Sealer, most: int) -> list[tuple[OutgoingMail, EmailMessage]]:
    """The last `most` mails, newest first. A mail sealed under another secret key (an old database beside a new key file) is left
    out."""
    found: list[tuple[OutgoingMail, EmailMessage]] = []
    for mail in await store.messages.recent_mail(most):
        try:
            found.append((mail, _decode(sealer.open(EMAIL_PURPOSE, mail.id, mail.sealed))))
        except ValueError:
            continue
    return found
