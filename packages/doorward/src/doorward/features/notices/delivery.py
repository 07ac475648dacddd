"""Bundles of notices in the outbox: which notices the next mail to an owner tells, and when it may go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, final

from msgspec import Struct

from doorward.adapters.logs import logger
from doorward.adapters.mail.queue import open_message
from doorward.core.model.message import EmailMessage, NoticePart, OutgoingMail
from doorward.core.ports.keys import Sealer
from doorward.features.notices.rules.spacing import DAY, due_at
from doorward.storage.sql.store import Store, Write

_log = logger("outbox")
MOST_READ: Final = 50
"""Notices that are read for one mail. All are counted."""

Bundle = Callable[[Sequence[NoticePart], int], EmailMessage]
"""The mail of these parts, which stand for so many notices."""


@final
class NoticeBundles(Struct, frozen=True, kw_only=True):
    """Used by the mail worker. `wait` as in the settings."""

    store: Store
    sealer: Sealer
    bundle: Bundle
    wait: int

    async def claim(
        self, mail: OutgoingMail, taken: OutgoingMail, now: int
    ) -> EmailMessage | Literal["waits"] | None:
        """Store `taken` in place of the due notice `mail`, and gather all notices to the same recipient in it; the message that tells them.

        None: another worker has them. `waits`: it is too early for one more mail, and they are due later. Raises ValueError when none can be read.
        """
        notices = self.store.owner_notices
        told = await notices.told(mail, since=now - DAY, now=now)
        due = due_at(mails=told.mails, last_at=told.last_at, new_kind=told.new_kind, wait=self.wait)
        if due > now:
            await self.store.commit(notices.postpone(mail, due, now))
            return "waits"
        gather = notices.gather(taken, now=now, until=taken.next_try_at)
        if not await self.store.commit(self.store.messages.replace_mail(mail, taken), gather):
            return None
        rows, number = await notices.gathered(mail.id, MOST_READ)
        opened = [message for row in rows if (message := self._open(row)) is not None]
        parts = [message.notice for message in opened if message.notice is not None]
        if not parts:
            raise ValueError("no notice of the mail can be read")
        return opened[0] if number == 1 else self.bundle(parts, number)

    def settle(self, mail: OutgoingMail) -> Write:
        """Give the gathered notices the state of their mail."""
        return self.store.owner_notices.settle(mail)

    def _open(self, mail: OutgoingMail) -> EmailMessage | None:
        try:
            return open_message(self.sealer, mail)
        except ValueError as error:
            _log.warning("mail.failed", mail_id=mail.id, kind=mail.kind, reason=str(error))
            return None
