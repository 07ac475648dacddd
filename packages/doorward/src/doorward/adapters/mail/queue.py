"""Mail queue: a mail is rendered, sealed, and committed together with the change that it reports."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, final

import msgspec
from msgspec import Struct, structs

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.device import describe
from doorward.core.model.digest import digest
from doorward.core.model.message import EMAIL_PURPOSE, EmailMessage, NoticeLink, OutgoingMail, OwnerMail
from doorward.core.model.place import Place
from doorward.core.ports.keys import Sealer
from doorward.core.ports.mail_queue import MailKind
from doorward.core.ports.random import SecureRandom

Render = Callable[[MailKind, str | None, dict[str, Any]], EmailMessage]
"""(kind, locale, values) -> the message. Passed in, since the templates are in another layer."""

URGENT = 3
"""The weight of notices that are sent at once."""


class NoticeRules(Struct, frozen=True, kw_only=True):
    """How notices are written: the kinds that are left out, the seconds for which one waits for others, and for which its link works."""

    without: Collection[MailKind] = ()
    wait: int = 0
    link_life: int = 7 * 86_400


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

    __slots__ = ("_find", "_random", "_render", "_rules", "_sealer")

    def __init__(
        self,
        *,
        sealer: Sealer,
        random: SecureRandom,
        render: Render,
        rules: NoticeRules | None = None,
        find: Callable[[str], Place | None] = lambda address: None,
    ) -> None:
        """`find` gives the place of an IP address."""
        self._sealer = sealer
        self._random = random
        self._render = render
        self._rules = rules or NoticeRules()
        self._find = find

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
        message = structs.replace(self._render(kind, locale, values), ticket_id=ticket_id)
        return self._sealed(message, kind, to, now)

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
        """The row, and the link's hash. An urgent notice is due at once, and takes along those that wait."""
        token = self._random.token()
        seen = {
            "at": now,
            "device": describe(caller.user_agent),
            "origin": caller.address,
            "place": self._find(caller.address),
            "not_me": token,
        }
        message = self._render(kind, account.locale, values | seen)
        weight = message.notice.weight if message.notice is not None else URGENT
        if kind in self._rules.without and weight < URGENT:
            return None
        mail = structs.replace(
            self._sealed(message, kind, to, now),
            next_try_at=now if weight >= URGENT else now + self._rules.wait,
            bundle=account.id,
            weight=weight,
        )
        link = NoticeLink(
            hash=digest(token),
            account_id=account.id,
            kind=kind,
            created_at=now,
            expires_at=now + self._rules.link_life,
        )
        return OwnerMail(mail=mail, link=link)

    def _sealed(self, message: EmailMessage, kind: MailKind, to: str, now: int) -> OutgoingMail:
        mail_id = self._random.new_id("mai")
        sealed = self._sealer.seal(EMAIL_PURPOSE, mail_id, _encode(message))
        return OutgoingMail(id=mail_id, to=to, kind=kind, sealed=sealed, created_at=now, next_try_at=now)
