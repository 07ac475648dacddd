"""Mail queue: a mail is rendered, sealed, and committed together with the change that it reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import msgspec
from msgspec import structs

from doorward.core.model.message import EMAIL_PURPOSE, EmailMessage, OutgoingMail
from doorward.core.ports.keys import Sealer
from doorward.core.ports.mail_queue import MailKind
from doorward.core.ports.random import SecureRandom

Render = Callable[[MailKind, str | None, dict[str, Any]], EmailMessage]
"""(kind, locale, values) -> the message. Passed in, since the templates are in another layer."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(EmailMessage).decode


def open_message(sealer: Sealer, mail: OutgoingMail) -> EmailMessage:
    """The content of a mail in the outbox. Raises ValueError when it was sealed under another secret key or for another
    row."""
    try:
        return _decode(sealer.open(EMAIL_PURPOSE, mail.id, mail.sealed))
    except msgspec.DecodeError:
        raise ValueError("a mail in the outbox is damaged") from None


@final
class SealedMailQueue:
    """`MailQueue` that seals each mail."""

    __slots__ = ("_random", "_render", "_sealer")

    def __init__(self, *, sealer: Sealer, random: SecureRandom, render: Render) -> None:
        self._sealer = sealer
        self._random = random
        self._render = render

    def write(
        self,
        kind: MailKind,
        *,
        to: str,
        locale: str | None,
        now: int,
        values: dict[str, Any],
        ticket_id: str | None = None,
    ) -> OutgoingMail:
        """A row for the outbox, due at once. The body may contain a code or a link, so it is stored only sealed."""
        mail_id = self._random.new_id("mai")
        message = structs.replace(self._render(kind, locale, values), ticket_id=ticket_id)
        sealed = self._sealer.seal(EMAIL_PURPOSE, mail_id, _encode(message))
        return OutgoingMail(id=mail_id, to=to, kind=kind, sealed=sealed, created_at=now, next_try_at=now)
