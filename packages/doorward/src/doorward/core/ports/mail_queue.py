"""Mail queue: mail is written to the outbox in the transaction of the change that it reports, and sent afterwards."""

from __future__ import annotations

from typing import Any, Protocol

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.message import OutgoingMail, OwnerMail

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

    def notice(
        self,
        kind: MailKind,
        *,
        account: Account,
        to: str,
        caller: Caller,
        now: int,
        values: dict[str, Any],
    ) -> OwnerMail | None:
        """A notice to the owner of an account, with its link "This wasn't me". None: the settings leave this kind out."""
        ...


def account_mail(
    mail: MailQueue, kind: MailKind, account: Account, now: int, **values: object
) -> OutgoingMail | None:
    """A mail to the owner of an account, in their language. None for somebody without an address: the activity on their account pages
    says what happened."""
    if account.email is None:
        return None
    return mail.write(kind, to=account.email, locale=account.locale, now=now, values=dict(values))


def owner_mail(
    mail: MailQueue,
    kind: MailKind,
    account: Account,
    caller: Caller,
    now: int,
    *,
    to: str | None = None,
    **values: object,
) -> OwnerMail | None:
    """A notice to the owner of an account of something that happened just now, from which kind of device and where. It goes to `to`, by
    default to the account's address. None as for `account_mail`, and for kinds that the settings leave out."""
    recipient = to or account.email
    if recipient is None:
        return None
    return mail.notice(kind, account=account, to=recipient, caller=caller, now=now, values=dict(values))
