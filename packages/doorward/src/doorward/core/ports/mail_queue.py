"""Mail: written into the outbox in the same transaction as what it speaks of, sent afterwards."""

from __future__ import annotations

from typing import Any, Protocol

from doorward.core.model.message import Outgoing

MailKind = str
"""`kind` of a message template; stored with each mail in the outbox."""


class Postman(Protocol):
    """Renders and seals a mail; `store.messages.insert_mail(...)` puts it into the transaction.

    A mail with `ticket_id` is sent only while that ticket's code and link work.
    """

    def write(
        self,
        kind: MailKind,
        *,
        to: str,
        locale: str | None,
        now: int,
        values: dict[str, Any],
        ticket_id: str | None = None,
    ) -> Outgoing: ...
