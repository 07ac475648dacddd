"""Delivery of due text messages: a background task, with growing pauses until the code expires."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, Protocol, final

import msgspec
from msgspec import structs

from doorward.adapters.logs import logger
from doorward.adapters.mail.delivery import CLAIM, Spent, pause
from doorward.adapters.sending import Sending
from doorward.core.model.text_message import SMS_PURPOSE, OutgoingSms, Sms
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import Sealer
from doorward.core.ports.message_channel import MessageAccepted, MessageChannel, MessageRefused
from doorward.core.ports.metrics import Metrics

_log = logger("sms")

PAUSES: Final = (2, 5, 15, 60)
"""Seconds until the next try, by the number of tries made; the last one repeats."""

_decode = msgspec.json.Decoder(Sms).decode

Failed = Callable[[OutgoingSms, str], Any]
"""(message, reason) -> the write that records the failure for the operator. Passed in, since it is in another layer."""


class DueSms(Protocol):
    """A part of `storage/sql/outgoing_sms.py`."""

    async def due(self, now: int, limit: int = 20, *, but: Collection[str] = ()) -> Sequence[OutgoingSms]: ...
    def replace(self, old: OutgoingSms, new: OutgoingSms) -> Any: ...


class SmsStore(Protocol):
    """A part of `storage/sql/store.py`."""

    @property
    def outgoing_sms(self) -> DueSms: ...
    async def commit(self, *writes: Any) -> bool: ...


def open_sms(sealer: Sealer, message: OutgoingSms) -> Sms:
    """The content of a message in the outbox. Raises ValueError when it was sealed under another secret key or for
    another row."""
    try:
        return _decode(sealer.open(SMS_PURPOSE, message.id, message.sealed))
    except msgspec.DecodeError:
        raise ValueError("a message in the outbox is damaged") from None


@final
class SmsWorker:
    """Sends due messages; polls every `interval` seconds."""

    def __init__(
        self,
        *,
        store: SmsStore,
        sealer: Sealer,
        channel: MessageChannel,
        clock: Clock,
        metrics: Metrics,
        failed: Failed,
        spent: Spent,
        interval: float = 0.5,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._channel = channel
        self._clock = clock
        self._metrics = metrics
        self._failed = failed
        self._spent = spent
        self._interval = interval

    async def run(self) -> None:
        """Run for ever."""
        await self._sending().run(self._interval)

    async def send_due(self) -> int:
        """Send what is due now and has room; returns the number of tries."""
        return await self._sending().send_due()

    def _sending(self) -> Sending[OutgoingSms]:
        return Sending(
            name="text messages",
            due=lambda full, limit: self._store.outgoing_sms.due(self._clock.now(), limit, but=full),
            send=self._send,
            key=lambda message: message.id,
            # a gateway can be slow for one country
            receiver=lambda message: message.country,
        )

    async def _send(self, message: OutgoingSms) -> bool:
        now = self._clock.now()
        taken = structs.replace(message, tries=message.tries + 1, next_try_at=now + CLAIM)
        if not await self._store.commit(self._store.outgoing_sms.replace(message, taken)):
            return False  # another worker has taken it
        await self._deliver(message, taken, now)
        return True

    async def _deliver(self, message: OutgoingSms, taken: OutgoingSms, now: int) -> None:
        try:
            sms = open_sms(self._sealer, message)
        except ValueError as problem:
            await self._give_up(taken, str(problem))
            return
        if (why := await self._useless(message, sms, now)) is not None:
            await (self._give_up(taken, message.problem) if message.problem else self._drop(taken, why))
            return
        answer = await self._channel.send(sms.to, sms.text, message_id=message.id)
        if isinstance(answer, MessageAccepted):
            self._count(message, "sent")
            after = structs.replace(
                taken, sent_at=self._clock.now(), gateway_id=answer.gateway_id, problem=None
            )
            await self._store.commit(self._store.outgoing_sms.replace(taken, after))
        elif isinstance(answer, MessageRefused):
            await self._give_up(taken, answer.reason)
        else:
            self._count(message, "delayed")
            _log.warning("sms.delayed", message_id=message.id, tries=taken.tries, reason=answer.reason)
            later = self._clock.now() + pause(PAUSES, taken.tries)
            after = structs.replace(taken, next_try_at=later, problem=answer.reason)
            await self._store.commit(self._store.outgoing_sms.replace(taken, after))

    async def _useless(self, message: OutgoingSms, sms: Sms, now: int) -> str | None:
        if now >= sms.expires_at:
            return "its code has expired"
        return None if message.code_id is None else await self._spent(message.code_id, now)

    async def _give_up(self, taken: OutgoingSms, reason: str) -> None:
        self._count(taken, "failed")
        _log.warning("sms.failed", message_id=taken.id, tries=taken.tries, reason=reason)
        after = structs.replace(taken, failed_at=self._clock.now(), problem=reason)
        await self._store.commit(self._store.outgoing_sms.replace(taken, after), self._failed(taken, reason))

    async def _drop(self, taken: OutgoingSms, reason: str) -> None:
        """Not sent, since its code was used or replaced before any try failed. That is no failure."""
        self._count(taken, "dropped")
        _log.warning("sms.dropped", message_id=taken.id, tries=taken.tries, reason=reason)
        after = structs.replace(taken, failed_at=self._clock.now(), problem=None)
        await self._store.commit(self._store.outgoing_sms.replace(taken, after))

    def _count(self, message: OutgoingSms, outcome: str) -> None:
        self._metrics.inc("sms", f"{message.country}_{outcome}")
