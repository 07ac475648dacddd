"""The revocation feed: how an API learns within a second what no longer holds (docs/reference/endpoints-token.md)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from doorward.model.revocation import same_history
from doorward.ports.bell import Bell
from doorward.ports.chance import Chance
from doorward.ports.clock import Clock
from doorward.ports.store import Store, StoreUnavailable
from doorward.rules.revoke.view import wire

LONGEST_WAIT: Final = 25
MOST_WAITING: Final = 2000
_EVERY: Final = 0.05
_SLOWLY: Final = 0.5
_BREATH: Final = 0.005
_FOREVER: Final = 2**53
_KEPT: Final = 60


@dataclass(slots=True)
class Watch:
    """Wakes whoever waits for something new. One poller a process, and only while somebody waits: it sees what other
    processes commit to the same database as well, at once where a bell tells it."""

    store: Store
    bell: Bell | None = None
    _waiting: list[tuple[int, asyncio.Future[None]]] = field(
        default_factory=list[tuple[int, "asyncio.Future[None]"]]
    )
    _poller: asyncio.Task[None] | None = None
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        if self.bell is not None:
            self.bell.listen(self._rung.set)

    async def beyond(self, seq: int, seconds: float) -> None:
        """Return when the newest entry is no longer `seq`, or after `seconds`. Raises `StoreUnavailable`.

        At once when too many wait already. It is no error: the places are free for anybody to take, and an API that heard 503
        here instead of the news would stop trusting its view, and with it every token, for as long as somebody holds them.
        """
        if len(self._waiting) >= MOST_WAITING:
            return
        waiter = asyncio.get_running_loop().create_future()
        entry = (seq, waiter)
        self._waiting.append(entry)
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll())
        try:
            async with asyncio.timeout(seconds):
                await waiter
        except TimeoutError:
            return
        finally:
            self._waiting.remove(entry)

    @property
    def idle(self) -> bool:
        """Whether nobody waits and nothing is polled."""
        return not self._waiting and self._poller is None

    def release(self) -> None:
        """Answer everybody who waits at once: the server is going down."""
        for _, waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def _poll(self) -> None:
        try:
            while self._waiting:
                self._rung.clear()
                newest = await self.store.revocations.newest()
                for seq, waiter in self._waiting:
                    if seq != newest and not waiter.done():
                        waiter.set_result(None)
                # one look answers for a whole storm of rings
                await asyncio.sleep(_BREATH)
                await self._until_rung()
        except StoreUnavailable as problem:
            for _, waiter in self._waiting:
                if not waiter.done():
                    waiter.set_exception(problem)
        finally:
            self._poller = None

    async def _until_rung(self) -> None:
        """A ring that was missed costs half a second; without a bell that is heard, nobody waits that long."""
        heard = self.bell is not None and self.bell.connected
        with suppress(TimeoutError):
            async with asyncio.timeout(_SLOWLY if heard else _EVERY):
                await self._rung.wait()


@dataclass(slots=True)
class RevocationFeed:
    """Everything that is live, or what came after a cursor. A cursor names the database as well as the place in it, so that one
    from before a rebuild is answered with everything instead of with silence."""

    store: Store
    chance: Chance
    clock: Clock
    watch: Watch
    _database: str | None = None
    _whole: dict[str, Any] | None = None
    _whole_of: tuple[int, int] = (-1, 0)
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, after: str | None, wait: float) -> dict[str, Any]:
        """The feed document; with `wait` (seconds, at most `LONGEST_WAIT`) held until something new is there."""
        database = self._database or await self._name()
        seq = _place(after, database)
        newest = await self.store.revocations.newest()
        if seq is None or seq > newest or not same_history(seq, newest):
            return await self._everything(database, newest)
        if seq == newest and wait > 0:
            await self.watch.beyond(seq, min(wait, LONGEST_WAIT))
        newest, entries = await self.store.revocations.since(seq, self.clock.now())
        if not same_history(seq, newest):
            return await self._everything(database, newest)
        return _document(database, newest, entries=[wire(entry) for entry in entries], reset=False)

    async def _everything(self, database: str, newest: int) -> dict[str, Any]:
        """All that is live: the very same document for everybody who asks until something is added, so that asking for everything
        over and over costs no more than asking for nothing. One at a time makes it anew."""
        async with self._loading:
            now = self.clock.now()
            of, until = self._whole_of
            if self._whole is None or of != newest or now >= until:
                found, entries = await self.store.revocations.live(now)
                self._whole = _document(
                    database, found, entries=[wire(entry) for entry in entries], reset=True
                )
                # what expires meanwhile concerns no token any more, and is told for a minute longer
                self._whole_of = (found, now + _KEPT)
            return self._whole

    async def _name(self) -> str:
        """The database's own name, drawn once in its life; of two processes that draw at once one wins."""
        name = await self.store.meta("feed")
        if name is None:
            await self.store.commit(
                self.store.attempts.claim("feed", "name", _FOREVER),
                self.store.put_meta("feed", self.chance.token(6)),
            )
            name = await self.store.meta("feed")
        if name is None:
            raise StoreUnavailable("the database did not keep the feed's name")
        self._database = name
        return name


def _place(cursor: str | None, database: str) -> int | None:
    if cursor is None:
        return None
    name, _, seq = cursor.rpartition(".")
    return int(seq) if name == database and seq.isascii() and seq.isdigit() and len(seq) < 17 else None


def _document(database: str, newest: int, *, entries: list[dict[str, Any]], reset: bool) -> dict[str, Any]:
    return {"cursor": f"{database}.{newest}", "reset": reset, "entries": entries}
