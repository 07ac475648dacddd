"""Mail queue: mail is written to the outbox in the transaction of the change that it reports, and sent afterwards."""

from __future__ import annotations

from typing import Any, Protocol

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.device import describe
from doorward.core.model.message import OutgoingMail

MailKind = str
"""`kind` of a message template; stored with each mail in the outbox."""


class MailQueue(Protocol):
    """Renders and seals a mail; `store.messages.insert_mail(...)` puts it into the transaction.

    A mail with `ticket_id` is sent only while that ticket's code and link are valid.
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
    ) -> OutgoingMail: ...


def owner_mail(
    mail: MailQueue, kind: MailKind, account: Account, caller: Caller, now: int, **values: object
) -> OutgoingMail:
    """A mail that informs the owner of an account of a change made just now, and from which kind of device."""
    told = {"at": now, "device": describe(caller.user_agent), **values}
    return mail.write(kind, to=account.email, locale=account.locale, now=now, values=told)
