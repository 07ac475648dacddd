"""Change notification to every waiting process, over all configured notifiers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import final

from doorward.core.ports.change_notifier import Bell


@final
class Bells:
    """Combines any number of `Bell`s, possibly none. Changes of this process reach its own listeners without any."""

    def __init__(self, bells: Sequence[Bell] = ()) -> None:
        self._bells = tuple(bells)
        self._wakes: list[Callable[[], None]] = []
        self._ringing: asyncio.Task[None] | None = None
        self._again = False

    @property
    def connected(self) -> bool:
        """True if at least one is connected: every change is sent over all of them."""
        return any(bell.connected for bell in self._bells)

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` for each notification, and for each change of this process."""
        self._wakes.append(wake)
        for bell in self._bells:
            bell.listen(wake)

    def changed(self) -> None:
        """For `Store.on_change`: wakes local listeners, and notifies the others without waiting."""
        for wake in self._wakes:
            wake()
        if not self._bells:
            return
        if self._ringing is None:
            self._ringing = asyncio.get_running_loop().create_task(self._ring())
        else:
            # A hundred commits during one notification cause one more notification.
            self._again = True

    async def rung(self) -> None:
        """Wait until the notifications under way have been delivered or have failed."""
        while (ringing := self._ringing) is not None:
            await ringing

    async def ring(self) -> None:
        """Send a notification over all of them."""
        await asyncio.gather(*(bell.ring() for bell in self._bells))

    async def run(self) -> None:
        """Listen on all of them; never returns."""
        if not self._bells:
            await asyncio.Event().wait()
        await asyncio.gather(*(bell.run() for bell in self._bells))

    async def _ring(self) -> None:
        try:
            while True:
                self._again = False
                await self.ring()
                if not self._again:
                    return
        finally:
            self._ringing = None


@final
class Wake:
    """A sleep that a notification ends early."""

    __slots__ = ("_rung",)

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """End the sleep."""
        self._rung.set()

    async def sleep(self, seconds: float) -> None:
        """Sleep for at most `seconds`; return at once if `ring` was called since the last sleep ended."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()
