"""Delivery of due mail and back-channel logout notices: two background tasks, with growing pauses between tries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, Protocol, final

from msgspec import Struct, field, structs

from doorward.adapters.logs import logger
from doorward.adapters.mail.queue import open_message
from doorward.adapters.mail.smtp import MailDelayed, MailRefused
from doorward.adapters.sending import AT_ONCE, PARTS, Sending
from doorward.core.model.message import EmailMessage, LogoutNotice, OutgoingMail
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import Sealer
from doorward.core.ports.metrics import Metrics
from doorward.core.ports.store import AdapterStore

_log = logger("outbox")

# Seconds until the next try, by the number of tries made; the last one repeats. Mail contains codes that live ten
# minutes: the first tries come quickly, and after a day the mail is given up.
MAIL_PAUSES: Final = (5, 15, 60, 300, 900, 3600)
MAIL_LIFE: Final = 86_400
# The assumed code life for a mail of the previous version, which names no ticket: codes live ten minutes at most (ASVS
# 6.6).
_CODE_LIFE: Final = 600
# A logout token lives two minutes and is made anew for each try; an app that is down for an hour does not get the
# notice.
LOGOUT_PAUSES: Final = (2, 10, 60, 300, 900)
LOGOUT_LIFE: Final = 3600
# Seconds for which a worker has a row to itself while sending; after a crash the row is due again.
CLAIM: Final = 120
OF_APP: Final = 4
"""Logout notices that are sent to one app at a time."""
CONNECTIONS: Final = 25 * OF_APP
"""Logout notices that are sent at a time, so that many slow apps leave room for the others."""


class MailSender(Protocol):
    """Sends one mail, or raises `MailRefused` or `MailDelayed`."""

    async def send(self, to: str, message: EmailMessage, *, mail_id: str, at: int) -> object: ...


class Bundles(Protocol):
    """Notices of which several become one mail (`features/notices/delivery.py`)."""

    async def claim(
        self, mail: OutgoingMail, taken: OutgoingMail, now: int
    ) -> EmailMessage | Literal["waits"] | None: ...

    def settle(self, mail: OutgoingMail) -> Any: ...


Spent = Callable[[str, int], Awaitable[str | None]]
"""(ticket's id, now) -> the reason why its code is no longer valid, or None. Passed in, since it uses the rules."""

Deliver = Callable[[LogoutNotice], Awaitable[str | None]]
"""Sends one logout notice; None: accepted, else the reason. Passed in, since it signs a token under the rules."""


def pause(pauses: tuple[int, ...], tries: int) -> int:
    """Seconds to wait after the `tries`-th try."""
    return pauses[min(tries, len(pauses)) - 1]


@final
class MailWorker(Struct, frozen=True, kw_only=True):
    """Sends due mail, at most `most` at a time; polls every `interval` seconds."""

    store: AdapterStore
    sealer: Sealer
    sender: MailSender
    clock: Clock
    metrics: Metrics
    spent: Spent | None = None
    bundles: Bundles | None = None
    interval: float = 1.0
    most: int = AT_ONCE

    async def run(self) -> None:
        """Run for ever."""
        await self._sending().run(self.interval)

    async def send_due(self) -> int:
        """Send what is due now and has room; returns the number of tries."""
        return await self._sending().send_due()

    def _sending(self) -> Sending[OutgoingMail]:
        return Sending(
            name="mail",
            due=lambda full, limit: self.store.messages.due_mail(self.clock.now(), limit, but=full),
            send=self._send,
            # of notices to one recipient the first one takes all others along
            key=lambda mail: mail.id if mail.bundle is None else f"{mail.bundle} {mail.to}",
            receiver=lambda mail: mail.to.rpartition("@")[2],
            of_each=-(-self.most // PARTS),
            most=self.most,
        )

    async def _send(self, mail: OutgoingMail) -> bool:
        now = self.clock.now()
        taken = structs.replace(mail, tries=mail.tries + 1, next_try_at=now + CLAIM)
        try:
            message = await self._claim(mail, taken, now)
            if message is None or message == "waits":
                return message is not None
            if (why := await self._useless(mail, message, now)) is not None:
                self.metrics.inc("mails", "dropped")
                _log.warning("mail.dropped", mail_id=mail.id, kind=mail.kind, reason=why)
                await self._settle(taken, structs.replace(taken, failed_at=now))
                return True
            # a bundle of another try may hold more: under one Message-ID a mailbox would hide it
            mail_id = mail.id if mail.bundle is None else f"{mail.id}.{taken.tries}"
            await self.sender.send(mail.to, message, mail_id=mail_id, at=mail.created_at)
            after = structs.replace(taken, sent_at=self.clock.now())
            self.metrics.inc("mails", "sent")
        except MailDelayed as error:
            after = self._later(taken, str(error))
        except (MailRefused, ValueError) as error:
            after = structs.replace(taken, failed_at=self.clock.now())
            self.metrics.inc("mails", "failed")
            _log.warning("mail.failed", mail_id=mail.id, kind=mail.kind, reason=str(error))
        await self._settle(taken, after)
        return True

    async def _claim(
        self, mail: OutgoingMail, taken: OutgoingMail, now: int
    ) -> EmailMessage | Literal["waits"] | None:
        """The message to send. None: another worker has taken it. `waits`: it is too early. Raises ValueError when it cannot be read."""
        if self.bundles is not None and mail.bundle is not None:
            return await self.bundles.claim(mail, taken, now)
        taking = self.store.messages.replace_mail(mail, taken)
        return open_message(self.sealer, mail) if await self.store.commit(taking) else None

    async def _settle(self, taken: OutgoingMail, after: OutgoingMail) -> None:
        gathered = (
            (self.bundles.settle(after),) if self.bundles is not None and after.bundle is not None else ()
        )
        await self.store.commit(self.store.messages.replace_mail(taken, after), *gathered)

    async def _useless(self, mail: OutgoingMail, message: EmailMessage, now: int) -> str | None:
        if message.ticket_id is not None:
            return await self.spent(message.ticket_id, now) if self.spent is not None else None
        return "its code has expired" if message.code and now >= mail.created_at + _CODE_LIFE else None

    def _later(self, mail: OutgoingMail, reason: str) -> OutgoingMail:
        now = self.clock.now()
        if now - mail.created_at >= MAIL_LIFE:
            self.metrics.inc("mails", "failed")
            _log.warning("mail.given_up", mail_id=mail.id, kind=mail.kind, tries=mail.tries, reason=reason)
            return structs.replace(mail, failed_at=now)
        self.metrics.inc("mails", "delayed")
        _log.warning("mail.delayed", mail_id=mail.id, kind=mail.kind, tries=mail.tries, reason=reason)
        return structs.replace(mail, next_try_at=now + pause(MAIL_PAUSES, mail.tries))


@final
class LogoutWorker(Struct, frozen=True, kw_only=True):
    """Sends due back-channel logout notices (OpenID Connect Back-Channel Logout 1.0 §2.5). An app that is slow delays its own alone."""

    store: AdapterStore
    deliver: Deliver
    clock: Clock
    metrics: Metrics
    interval: float = 0.5
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to have it look at once."""
    tried: Callable[[str], object] = lambda _session_id: None
    """Called with the session of a notice after each try."""

    async def run(self) -> None:
        """Run for ever."""
        await self._sending().run(self.interval)

    async def send_due(self) -> int:
        """Send what is due now, at most `OF_APP` notices of each app, and wait for all; returns the number of tries."""
        return await self._sending().send_due()

    def _sending(self) -> Sending[LogoutNotice]:
        return Sending(
            name="log-out notices",
            due=lambda full, _: self.store.messages.due_logouts(self.clock.now(), OF_APP, but=full),
            send=self._send,
            key=lambda notice: notice.id,
            receiver=lambda notice: notice.client_id,
            of_each=OF_APP,
            most=CONNECTIONS,
            woken=self.woken,
        )

    async def _send(self, notice: LogoutNotice) -> bool:
        messages = self.store.messages
        taken = structs.replace(notice, tries=notice.tries + 1, next_try_at=self.clock.now() + CLAIM)
        if not await self.store.commit(messages.replace_logout(notice, taken)):
            return False
        problem = await self.deliver(notice)
        now = self.clock.now()
        if problem is None:
            after, kind = structs.replace(taken, sent_at=now), "sent"
        elif now - notice.created_at >= LOGOUT_LIFE:
            after, kind = structs.replace(taken, failed_at=now, problem=problem), "failed"
        else:
            later = now + pause(LOGOUT_PAUSES, taken.tries)
            after, kind = structs.replace(taken, next_try_at=later, problem=problem), "delayed"
        if problem is not None:
            _log.warning(
                "logout.given_up" if kind == "failed" else "logout.delayed",
                notice_id=notice.id,
                client_id=notice.client_id,
                tries=taken.tries,
                reason=problem,
            )
        self.metrics.inc("logout_notices", kind)
        await self.store.commit(messages.replace_logout(taken, after))
        self.tried(notice.session_id)
        return True
