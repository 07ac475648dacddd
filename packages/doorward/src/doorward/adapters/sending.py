"""Sending of what is due, with a bound for each receiver: who is slow delays their own alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Generic, TypeVar, final

from msgspec import Struct, field

from doorward.adapters.background import once
from doorward.adapters.logs import logger
from doorward.core.errors import StoreUnavailable

_log = logger("outbox")

OF_RECEIVER: Final = 8
"""Mails to one domain, or text messages to one country, that are sent at a time."""
AT_ONCE: Final = 3 * OF_RECEIVER
"""Mails, or text messages, that are sent at a time. Mail servers bound the connections of one client."""

Item = TypeVar("Item")


@final
class Sending(Struct, Generic[Item], frozen=True, kw_only=True):
    """Each item is sent by a task of its own, as soon as there is room for it. `name` is for the log.

    `due`: (receivers that have no room now) -> what is due, first what goes first; it leaves out what is for them, so that they hide nobody
    behind them. `key` names an item, or several that are sent together. At most `of_each` are sent at a time to one `receiver`, and
    `most` in all. `sending` has the receiver of each by its key.
    """

    name: str
    due: Callable[[Collection[str]], Awaitable[Sequence[Item]]]
    send: Callable[[Item], Awaitable[object]]
    key: Callable[[Item], str]
    receiver: Callable[[Item], str]
    of_each: int = OF_RECEIVER
    most: int = AT_ONCE
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to have it look at once."""
    sending: dict[str, str] = field(default_factory=dict[str, str])

    async def run(self, interval: float) -> None:
        """Run for ever, looking every `interval` seconds."""
        async with asyncio.TaskGroup() as tasks:

            async def start() -> int:
                new = await self._take()
                for item in new:
                    tasks.create_task(once(partial(self._serve, item), name=self.name))
                return len(new)

            await for_ever(start, interval, self.woken)

    async def send_due(self) -> int:
        """Send what is due now and has room, and wait for all; returns the number of tries."""
        new = await self._take()
        await asyncio.gather(*(self._serve(item) for item in new))
        return len(new)

    async def _take(self) -> list[Item]:
        """What is due and has room, marked as being sent."""
        busy = Counter(self.sending.values())
        new: list[Item] = []
        if len(self.sending) >= self.most:
            return new
        full = {receiver for receiver, number in busy.items() if number >= self.of_each}
        for item in await self.due(full):
            key, receiver = self.key(item), self.receiver(item)
            room = len(self.sending) < self.most and busy[receiver] < self.of_each
            if room and key not in self.sending:
                busy[receiver] += 1
                self.sending[key] = receiver
                new.append(item)
        return new

    async def _serve(self, item: Item) -> None:
        try:
            await self.send(item)
        finally:
            del self.sending[self.key(item)]
        # there is room for the next one
        self.woken.set()


async def for_ever(
    send_due: Callable[[], Awaitable[int]], interval: float, woken: asyncio.Event | None = None
) -> None:
    """Send what is due, poll every `interval` seconds and when `woken` is set, and go on after any failure."""
    woken = woken or asyncio.Event()
    while True:
        woken.clear()
        try:
            while await send_due() > 0:
                pass
        except StoreUnavailable:
            _log.warning("outbox.unavailable")
            await asyncio.sleep(1)
        except Exception as error:  # noqa: BLE001 - one bad row must not end the sending of all others
            _log.error("outbox.failed", exc_info=error)
            await asyncio.sleep(1)
        with suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), interval)
