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
PARTS: Final = 3
"""How many receivers without room fill all places, at least; a look leaves out so many (`MOST_LEFT_OUT`)."""
AT_ONCE: Final = PARTS * OF_RECEIVER
"""Mails, or text messages, that are sent at a time by one process."""
_OF_NODE: Final = 2 * AT_ONCE
"""Mails that all processes of a node send at a time: Postfix accepts 50 connections of one client (`smtpd_client_connection_count_limit`)."""
_LEAST: Final = 8

Item = TypeVar("Item")


@final
class Sending(Struct, Generic[Item], frozen=True, kw_only=True):
    """Each item is sent by a task of its own, as soon as there is room for it. `name` is for the log.

    `due`: (receivers that have no room now, number of items) -> what is due, first what goes first; it leaves out what is for them, so that
    they hide nobody behind them. `send` returns whether the item is due no longer: only then is there a look for the next one at once. `key`
    names an item, or several that are sent together. At most `of_each` are sent at a time to one `receiver`, and `most` in all.

    `sending` has the receiver of each by its key. `ended` has the keys whose sending has ended since the last look, and `left` those that are
    due still and are left alone until there is nothing else to send.
    """

    name: str
    due: Callable[[Collection[str], int], Awaitable[Sequence[Item]]]
    send: Callable[[Item], Awaitable[bool]]
    key: Callable[[Item], str]
    receiver: Callable[[Item], str]
    of_each: int = OF_RECEIVER
    most: int = AT_ONCE
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to have it look at once."""
    sending: dict[str, str] = field(default_factory=dict[str, str])
    ended: set[str] = field(default_factory=set[str])
    left: set[str] = field(default_factory=set[str])

    async def run(self, interval: float) -> None:
        """Run for ever, looking every `interval` seconds."""
        async with asyncio.TaskGroup() as tasks:

            async def start() -> int:
                new = await self._take()
                if not new:
                    self.left.clear()
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
        free = self.most - len(self.sending)
        if free <= 0:
            return []
        # the places of those that have ended, mostly one, are asked for alone: a receiver with a long queue would fill the answer each time.
        # What it hides is found by the next look, which comes at once after one that found something.
        limit = min(len(self.ended), free) or free
        self.ended.clear()
        new, number = await self._due(limit)
        if not new and number >= limit:
            # they are being sent, or were left, and hide what comes behind them
            new, _ = await self._due(free + len(self.sending) + len(self.left))
        return new

    async def _due(self, limit: int) -> tuple[list[Item], int]:
        """What has room among the first `limit` that are due, marked as being sent; and how many were read."""
        busy = Counter(self.sending.values())
        read = await self.due({one for one, number in busy.items() if number >= self.of_each}, limit)
        new: list[Item] = []
        for item in read:
            key, receiver = self.key(item), self.receiver(item)
            room = len(self.sending) < self.most and busy[receiver] < self.of_each
            if room and key not in self.sending and key not in self.left:
                busy[receiver] += 1
                self.sending[key] = receiver
                new.append(item)
        return new, len(read)

    async def _serve(self, item: Item) -> None:
        key, moved = self.key(item), False
        try:
            moved = await self.send(item)
        finally:
            del self.sending[key]
            (self.ended if moved else self.left).add(key)
        if moved:
            # there is room for the next one
            self.woken.set()


def of_worker(workers: int) -> int:
    """How many mails each of `workers` processes on one node may send at a time; not less than 8, so that few slow receivers leave room."""
    return max(_LEAST, min(AT_ONCE, _OF_NODE // workers))


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
            async with asyncio.timeout(interval):
                await woken.wait()
