"""How does what one process committed reach everybody who waits, here and elsewhere? At once, over every bell that there is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import final

from doorward.core.ports.change_notifier import Bell


@final
class Bells:
    """`ports.bell.Bell` of any number of bells, none included. What this process did itself it hears without any."""

    def __init__(self, bells: Sequence[Bell] = ()) -> None:
        self._bells = tuple(bells)
        self._wakes: list[Callable[[], None]] = []
        self._ringing: asyncio.Task[None] | None = None
        self._again = False

    @property
    def connected(self) -> bool:
        """One that is heard is enough: all of them are rung."""
        return any(bell.connected for bell in self._bells)

    def listen(self, wake: Callable[[], None]) -> None:
        """Hear every bell, and what this process did."""
        self._wakes.append(wake)
        for bell in self._bells:
            bell.listen(wake)

    def changed(self) -> None:
        """For `Store.on_change`: wakes who waits here, and rings for the others without waiting for them."""
        for wake in self._wakes:
            wake()
        if not self._bells:
            return
        if self._ringing is None:
            self._ringing = asyncio.get_running_loop().create_task(self._ring())
        else:
            # A hundred commits while one ring is on its way are heard by one more ring.
            self._again = True

    async def rung(self) -> None:
        """Wait until the rings that are under way have been heard, or given up."""
        while (ringing := self._ringing) is not None:
            await ringing

    async def ring(self) -> None:
        """Ring them all."""
        await asyncio.gather(*(bell.ring() for bell in self._bells))

    async def run(self) -> None:
        """Hear them all, for ever."""
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
    """Sleep that a bell ends."""

    __slots__ = ("_rung",)

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """End the sleep."""
        self._rung.set()

    async def sleep(self, seconds: float) -> None:
        """At most so long; not at all when it was rung since the last sleep ended."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()
