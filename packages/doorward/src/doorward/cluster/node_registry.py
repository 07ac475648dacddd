"""Registry of the processes that answer from memory: a change waits for all live ones, and only once for a dead one.

A process whose row is marked as suspect, or missing, registers again before it extends its lease. So if a row stays
suspect for the length of a lease, its process no longer answers from memory: it is dead, or it is suspended and will
query first when it resumes. Only then is the row deleted. Clocks of other machines are not trusted for this: each
process waits by its own clock, and other clocks only suggest which rows to mark.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final, final

from doorward.adapters.logs import logger
from doorward.adapters.monotonic import monotonic_boottime
from doorward.storage.sql.store import Store

LEASE: Final = 1.0
"""Seconds. Every process of every version on one database has to use the same number."""
MARGIN: Final = 0.1
HEARD_OF_WITHIN: Final = 40
"""Seconds between a sign of life of a process and the time by which the next is due."""
_PATIENCE: Final = 0.1
_MARK_BYTES: Final = 6
_NOBODY: Final = -1
_NEVER: Final = 2**62
_log = logger("nodes")


@final
class NodeRegistry:
    """Waits for and removes registered processes. `passed`: the monotonic clock that leases are measured by."""

    def __init__(self, *, store: Store, passed: Callable[[], float] = monotonic_boottime) -> None:
        self._store = store
        self._passed = passed

    async def settled(self, version: int, until: float) -> None:
        """Wait until no process answers from a snapshot older than `version`. At `until` (on the clock `passed`) every
        lease that began before the change has expired. Processes that do not report are marked as suspect, and deleted
        if they stay so for the length of a lease. Raises `StoreUnavailable`."""
        nodes = self._store.nodes
        pause, asked_at, silent = 0.005, self._passed() + _PATIENCE, ()
        while await nodes.behind(version):
            now = self._passed()
            if now >= until:
                await self._forget(silent)
                return
            if now >= asked_at and not silent:
                silent = await self._mark_suspect(behind=version, silent_at=_NOBODY, not_before=_NEVER)
                until = max(until, self._passed() + LEASE + MARGIN)
            await asyncio.sleep(max(0.0, min(pause, until - self._passed())))
            pause = min(pause * 1.5, 0.05)

    async def look_for_the_dead(self, now: int) -> int:
        """Delete processes whose sign of life was due before `now` (seconds) and that stay silent; returns how many.
        Takes the length of a lease if any is suspect. Raises `StoreUnavailable`."""
        # A due time this far ahead was written by a wrong clock, possibly by a process that is dead now.
        silent = await self._mark_suspect(behind=_NOBODY, silent_at=now, not_before=now + 3 * HEARD_OF_WITHIN)
        if not silent:
            return 0
        await asyncio.sleep(LEASE + MARGIN)
        return await self._forget(silent)

    async def _mark_suspect(self, *, behind: int, silent_at: int, not_before: int) -> tuple[str, ...]:
        nodes, mark = self._store.nodes, secrets.token_urlsafe(_MARK_BYTES)
        await self._store.commit(
            nodes.mark_suspect(mark, behind=behind, silent_at=silent_at, not_before=not_before)
        )
        # includes rows marked by a process that was killed before it finished
        return tuple(await nodes.suspects())

    async def _forget(self, silent: tuple[str, ...]) -> int:
        """`silent` were marked a lease ago; those that have reported since are no longer marked."""
        dead = sorted(set(silent) & set(await self._store.nodes.suspects()))
        if dead:
            await self._store.commit(*(self._store.nodes.leave(one) for one in dead))
            _log.info("nodes.forgotten", count=len(dead))
        return len(dead)
