"""Outbox of a development server: the mails and text messages that would have been sent, decrypted."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from doorward.core.model.message import EMAIL_PURPOSE, EmailMessage
from doorward.core.ports.keys import Sealer
from doorward.features.slots import Kept, KeptMessage
from doorward.storage.sql.store import Store

_decode_mail = msgspec.json.Decoder(EmailMessage).decode


async def recent(store: Store, sealer: Sealer, outboxes: Sequence[Kept], most: int) -> list[KeptMessage]:
    """The last `most` messages of the mails and of `outboxes`, newest first. One sealed under another secret key (an old database beside a new key file) is
    left out."""
    found: list[KeptMessage] = []
    for mail in await store.messages.recent_mail(most):
        try:
            message = _decode_mail(sealer.open(EMAIL_PURPOSE, mail.id, mail.sealed))
        except ValueError:
            continue
        found.append(KeptMessage(mail.to, message.subject, message.text, mail.created_at, message.code))
    for kept in outboxes:
        found += await kept(most)
    return sorted(found, key=lambda message: message.at, reverse=True)[:most]
