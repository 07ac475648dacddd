"""Delivery of events by polling (RFC 8936)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from msgspec import Struct, field

from doorward.adapters.logs import logger
from doorward.core.model.security_event import EventStream
from doorward.core.ports.clock import Clock
from doorward.core.ports.metrics import Metrics
from doorward.features.security_events.problem import StreamRefused
from doorward.features.security_events.rules.poll_request import Poll, PollAnswer
from doorward.features.security_events.tokens import EventTokens
from doorward.storage.sql.store import Store

LONGEST_WAIT: Final = 25.0
_EVERY: Final = 0.5
_MOST_WAITING: Final = 100
_SEEN_EVERY: Final = 60
_log = logger("security_events")


class Polling(Struct, kw_only=True):
    """Answers polls. An event stays until its receiver acknowledged it, and comes again with the next poll until then, with the same
    `jti`. A request waits at most `longest` seconds for an event."""

    store: Store
    tokens: EventTokens
    clock: Clock
    metrics: Metrics
    longest: float = LONGEST_WAIT
    _waiting: int = 0
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def poll(self, stream: EventStream, asked: Poll) -> PollAnswer:
        """Remove what the receiver acknowledged or refused, and answer with what comes next. Raises `StreamRefused` while there is no
        key."""
        events = self.store.security_events
        for jti, code in asked.refused.items():
            self.metrics.inc("security_events", "refused")
            _log.warning("security_events.refused", stream_id=stream.id, event_id=jti, reason=code)
        gone = (*asked.accepted, *asked.refused)
        await self.store.commit(
            events.remove(stream.id, gone), events.accepted(stream.id, self.clock.now(), every=_SEEN_EVERY)
        )
        if asked.accepted:
            self.metrics.inc("security_events", "accepted")
        if asked.wait and stream.status == "enabled":
            await self._something(stream.id)
        found = await events.waiting(stream.id, asked.most + 1, stream.status)
        try:
            sets = {one.id: self.tokens.make(one, stream) for one in found[: asked.most]}
        except KeyError:
            raise StreamRefused(
                503,
                "temporarily_unavailable",
                "There is no key yet to sign events with. Ask again in a moment.",
            ) from None
        return {"sets": sets, "moreAvailable": len(found) > asked.most}

    def release(self) -> None:
        """Answer the requests that wait: the process stops."""
        self._stopping.set()

    async def _something(self, stream_id: str) -> None:
        if self._waiting >= _MOST_WAITING:
            return
        self._waiting += 1
        try:
            async with asyncio.timeout(self.longest):
                while not self._stopping.is_set():
                    if await self.store.security_events.any_waiting(stream_id):
                        return
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_EVERY):
                            await self._stopping.wait()
        except TimeoutError:
            return
        finally:
            self._waiting -= 1
