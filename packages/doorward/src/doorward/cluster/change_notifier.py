"""Change notification to every waiting process, over all configured notifiers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import final

from doorward.core.ports.change_notifier import ChangeNotifier


@final
class ChangeNotifiers:
    """Combines any number of `ChangeNotifier`s, possibly none. Changes of this process reach its own listeners without any."""

    def __init__(self, notifiers: Sequence[ChangeNotifier] = ()) -> None:
        self._notifiers = tuple(notifiers)
        self._wakes: list[Callable[[], None]] = []
        self._publishing: asyncio.Task[None] | None = None
        self._again = False

    @property
    def connected(self) -> bool:
        """True if at least one is connected: every change is sent over all of them."""
        return any(each.connected for each in self._notifiers)

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` for each notification, and for each change of this process."""
        self._wakes.append(wake)

    def changed(self) -> None:
        """For `Store.on_change`: wakes local listeners, and notifies the others without waiting."""
        self._wake()
        if not self._notifiers:
            return
        if self._publishing is None:
            self._publishing = asyncio.get_running_loop().create_task(self._publish())
        else:
            # A hundred commits during one notification cause one more notification.
            self._again = True

    async def published(self) -> None:
        """Wait until the notifications under way have been delivered or have failed."""
        while (publishing := self._publishing) is not None:
            await publishing

    async def publish(self) -> None:
        """Send a notification over all of them."""
        await asyncio.gather(*(each.publish() for each in self._notifiers))

    async def run(self) -> None:
        """Listen on all of them; never returns."""
        if not self._notifiers:
            await asyncio.Event().wait()
        await asyncio.gather(*(each.run(self._wake) for each in self._notifiers))

    def _wake(self) -> None:
        for wake in self._wakes:
            wake()

    async def _publish(self) -> None:
        try:
            while True:
                self._again = False
                await self.publish()
                if not self._again:
                    return
        finally:
            self._publishing = None


@final
class Waiter:
    """A sleep that a notification ends early."""

    __slots__ = ("_woken",)

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """End the sleep."""
        self._woken.set()

    async def sleep(self, seconds: float) -> None:
        """Sleep for at most `seconds`; return at once if `wake` was called since the last sleep ended."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()
