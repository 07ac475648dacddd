"""Mail: written into the outbox in the same transaction as what it speaks of, sent afterwards."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from doorward.core.model.message import Outgoing

MailKind = Literal[
    "verify_address",
    "address_taken",
    "reset_password",
    "password_changed",
    "new_device",
    "refresh_replayed",
    "second_factor_added",
    "second_factor_removed",
    "second_factor_reset",
    "recovery_codes_made",
    "recovery_code_used",
    "second_factor_failed",
]


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
