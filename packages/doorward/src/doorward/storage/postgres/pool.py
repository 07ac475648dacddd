"""PostgreSQL connection pool: one for each event loop.

The connection used last is used first, so that its caches stay warm and an idle server keeps few. No state is left on a
connection, so returning one costs no round trip. When one breaks, all that were made before are suspect: after a
failover they lead to a server that is gone or read-only, and each would otherwise have to fail once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol, final

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres.errors import DOES_NOT_ANSWER, verdict

# A firewall between us and the database drops an idle connection sooner or later, without notice.
_STALE_SECONDS = 240.0
_GOOD_BYE_SECONDS = 2.0


class Connection(Protocol):
    """The methods of asyncpg's connection used here."""

    async def execute(self, query: str, /, *args: Any, **how: Any) -> str: ...
    async def fetch(self, query: str, /, *args: Any) -> list[Any]: ...
    async def close(self) -> None: ...
    def terminate(self) -> None: ...
    def is_closed(self) -> bool: ...
    def is_in_transaction(self) -> bool: ...


@final
class Held:
    """A connection of the pool. `era`: the pool's era when it was made."""

    __slots__ = ("connection", "era", "since")

    def __init__(self, connection: Connection, era: int) -> None:
        self.connection = connection
        self.era = era
        self.since = 0.0


@final
class Pool:
    """At most `size` connections made by `connect`; without a free one, callers wait at most `wait` seconds, in FIFO
    order."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], *, size: int, wait: float) -> None:
        self._connect = connect
        self._size = size
        self._wait = wait
        self._loop = asyncio.get_running_loop()
        self._free: list[Held] = []
        self._made = 0
        self._era = 0
        # the result None means: a slot to make a new connection
        self._waiting: deque[asyncio.Future[Held | None]] = deque()

    def at_once(self) -> Held | None:
        """An idle connection for exclusive use until it is given back, or None."""
        while self._free:
            held = self._free.pop()
            if self._fit(held) and self._loop.time() - held.since < _STALE_SECONDS:
                return held
            self._let_go(held)
        return None

    async def take(self) -> Held:
        """A connection for exclusive use until it is given back. Raises `StoreUnavailable`."""
        held = self.at_once()
        if held is not None:
            return held
        if self._made < self._size:
            self._made += 1
            return await self._make()
        return await self._in_turn()

    def give(self, held: Held) -> None:
        """Return a connection on which no operation is running."""
        if not self._fit(held) or held.connection.is_in_transaction():
            self.drop(held)
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(held)
                return
        held.since = self._loop.time()
        self._free.append(held)

    def drop(self, held: Held) -> None:
        """Discard a connection that may have an operation running."""
        self._let_go(held)
        self._offer_place()

    def suspect_all(self) -> None:
        """Report a broken connection: idle connections are closed, those in use when they are returned."""
        self._era += 1
        free, self._free = self._free, []
        for held in free:
            self.drop(held)

    async def close(self) -> None:
        """Close idle connections; those in use are closed when they are returned."""
        self._era += 1
        free, self._free = self._free, []
        self._made -= len(free)
        await asyncio.gather(*(_good_bye(held.connection) for held in free))

    def abandon(self) -> None:
        """The same from another thread, or after the pool's loop has ended."""
        free, self._free = self._free, []
        for held in free:
            # a closed loop cannot close connections; the sockets close with the objects
            with suppress(RuntimeError):
                if self._loop.is_running():
                    self._loop.call_soon_threadsafe(held.connection.terminate)
                else:
                    held.connection.terminate()

    def _fit(self, held: Held) -> bool:
        return held.era == self._era and not held.connection.is_closed()

    def _let_go(self, held: Held) -> None:
        self._made -= 1
        with suppress(RuntimeError):
            held.connection.terminate()

    def _offer_place(self) -> None:
        while self._waiting and self._made < self._size:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._made += 1
                waiter.set_result(None)

    async def _make(self) -> Held:
        era = self._era
        try:
            return Held(await self._connect(), era)
        except BaseException as problem:
            self._made -= 1
            self._offer_place()
            if isinstance(problem, Exception):
                raise verdict(problem, DOES_NOT_ANSWER) from problem
            raise

    async def _in_turn(self) -> Held:
        waiter: asyncio.Future[Held | None] = self._loop.create_future()
        self._waiting.append(waiter)
        timer = self._loop.call_later(self._wait, _too_long, waiter, self._wait, self._size)
        try:
            held = await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._return(waiter.result())
            raise
        finally:
            timer.cancel()
        return await self._make() if held is None else held

    def _return(self, held: Held | None) -> None:
        if held is None:
            self._made -= 1
            self._offer_place()
        else:
            self.give(held)


def _too_long(waiter: asyncio.Future[Held | None], seconds: float, size: int) -> None:
    if not waiter.done():
        waiter.set_exception(
            StoreUnavailable(f"the database is busy: none of {size} connections became free in {seconds:g} s")
        )


async def _good_bye(connection: Connection) -> None:
    try:
        async with asyncio.timeout(_GOOD_BYE_SECONDS):
            await connection.close()
    except Exception:  # noqa: BLE001 - it is closed now, in order or not
        connection.terminate()
