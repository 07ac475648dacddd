"""Who of those that answer from memory lives? Whoever changes something waits for all of them, and for a dead one only once.

A process whose row is doubted, or gone, makes itself known before it trusts what it reads for another moment. So a row that stays
doubted for the length of a lease belongs to a process that answers from memory no more: it is dead, or asleep and will ask first when
it wakes. Only then the row goes. No clock of another machine is believed for that: each waits by its own, and guesses whom to doubt.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final, final

from doorward.adapters.logs import logger
from doorward.adapters.monotonic import ticks
from doorward.storage.sql.store import Store

LEASE: Final = 1.0
"""Seconds. Every process of every version on one database has to use the same number."""
MARGIN: Final = 0.1
HEARD_OF_WITHIN: Final = 40
"""Seconds from a word of a process to the time by which the next is due."""
_PATIENCE: Final = 0.1
_MARK_BYTES: Final = 6
_NOBODY: Final = -1
_NEVER: Final = 2**62
_log = logger("nodes")


@final
class RollCall:
    """`passed` is the time by which leases run."""

    def __init__(self, *, store: Store, passed: Callable[[], float] = ticks) -> None:
        self._store = store
        self._passed = passed

    async def settled(self, version: int, until: float) -> None:
        """Wait until nobody answers from a snapshot older than `version`. At `until` (of `passed`) every lease has run out that began
        before the change. Those who are silent are doubted, and forgotten if they stay silent for the length of a lease.
        Raises `StoreUnavailable`."""
        nodes = self._store.nodes
        pause, asked_at, silent = 0.005, self._passed() + _PATIENCE, ()
        while await nodes.behind(version):
            now = self._passed()
            if now >= until:
                await self._forget(silent)
                return
            if now >= asked_at and not silent:
                silent = await self._doubt(behind=version, silent_at=_NOBODY, not_before=_NEVER)
                until = max(until, self._passed() + LEASE + MARGIN)
            await asyncio.sleep(max(0.0, min(pause, until - self._passed())))
            pause = min(pause * 1.5, 0.05)

    async def look_for_the_dead(self, now: int) -> int:
        """Forget who was to be heard of before `now` (seconds) and is silent; answers how many that were. Takes the length of a
        lease when there is anybody to doubt. Raises `StoreUnavailable`."""
        # due much later than any word of now: the word of a clock that was wrong, and maybe of a process that is no more
        silent = await self._doubt(behind=_NOBODY, silent_at=now, not_before=now + 3 * HEARD_OF_WITHIN)
        if not silent:
            return 0
        await asyncio.sleep(LEASE + MARGIN)
        return await self._forget(silent)

    async def _doubt(self, *, behind: int, silent_at: int, not_before: int) -> tuple[str, ...]:
        nodes, mark = self._store.nodes, secrets.token_urlsafe(_MARK_BYTES)
        await self._store.commit(nodes.doubt(mark, behind=behind, silent_at=silent_at, not_before=not_before))
        # with them those whom somebody doubted who was killed before the end
        return tuple(await nodes.doubted())

    async def _forget(self, silent: tuple[str, ...]) -> int:
        """`silent` were doubted a lease ago; who has spoken since is not among them any more."""
        dead = sorted(set(silent) & set(await self._store.nodes.doubted()))
        if dead:
            await self._store.commit(*(self._store.nodes.leave(one) for one in dead))
            _log.info("nodes.forgotten", count=len(dead))
        return len(dead)
