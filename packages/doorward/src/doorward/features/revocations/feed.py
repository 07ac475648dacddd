"""The revocation feed: how an API learns within a second what no longer holds (docs/reference/endpoints-token.md)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from doorward.core.errors import StoreUnavailable
from doorward.core.model.revocation import same_history
from doorward.core.ports.change_notifier import Bell
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import Sealer
from doorward.core.ports.random import Chance
from doorward.features.revocations.rules import wire
from doorward.features.revocations.rules.pages import NEWS, FeedPages
from doorward.features.revocations.rules.wire import PLAIN, hiding, plain
from doorward.features.revocations.view_service import caught_up
from doorward.storage.sql.store import Store

LONGEST_WAIT: Final = 25
MOST_WAITING: Final = 2000
_EVERY: Final = 0.05
_SLOWLY: Final = 0.5
_BREATH: Final = 0.005
_FOREVER: Final = 2**53
_KEPT: Final = 60
_NAME: Final = "feed"
"""Where the database keeps its own name, in `meta`, and who may draw it."""
_SALT_PURPOSE: Final = "feed"


@dataclass(slots=True, kw_only=True)
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


@dataclass(slots=True, kw_only=True)
class RevocationFeed:
    """Everything that is live, or what came after a cursor; page by page in the second edition.

    A cursor names the database and the salt as well as the place, so that one from before a rebuild, or of another day, is
    answered with everything instead of with silence. What is live is read from the database once and grows at its end: to be
    asked costs one small read, whatever the cursor.
    """

    store: Store
    chance: Chance
    clock: Clock
    watch: Watch
    sealer: Sealer
    _database: str | None = None
    _salt: tuple[int, str] = (-1, "")
    _pages: FeedPages = field(default_factory=FeedPages)
    _forgotten_at: int = 0
    _whole: tuple[int, FeedPages | None, bytes] = (-1, None, b"")
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def plain(self, after: str | None, wait: float) -> bytes:
        """The first edition, with ids in clear and in one piece. `wait` in seconds, at most `LONGEST_WAIT`: the answer is held until
        something new is there."""
        database = self._database or await self._name()
        pages, seq = await self._found(_place(after, database), wait)
        if seq is None or pages.behind(seq) > NEWS:
            made, of, body = self._whole
            if made != pages.seq or of is not pages:
                body = _document(database, pages.seq, pages.whole(PLAIN, plain), reset=True)
                self._whole = pages.seq, pages, body
            return body
        return _document(database, pages.seq, pages.news(seq, PLAIN, plain), reset=False)

    async def pages(self, after: str | None, wait: float) -> bytes:
        """The second edition: ids hidden by a salt, and at most a page in an answer. `more`: the next one follows at once."""
        salt = await self._salt_of_today()
        pages, seq = await self._found(_place(after, salt), wait)
        part = pages.after(seq or 0, salt, hiding(salt))
        also = b'"salt":"%s","more":%s,' % (salt.encode(), b"false" if part.last else b"true")
        return _document(salt, part.seq, part.text, reset=seq is None, also=also)

    async def _found(self, seq: int | None, wait: float) -> tuple[FeedPages, int | None]:
        """The view as of now, and the place of the cursor in it; None when the answer has to begin anew. Waits while there is
        nothing after the cursor."""
        pages = await self._current()
        if seq is not None and seq == pages.seq and wait > 0:
            await self.watch.beyond(seq, min(wait, LONGEST_WAIT))
            pages = await self._current()
        if seq is not None and (seq > pages.seq or not same_history(seq, pages.seq)):
            seq = None
        return pages, seq

    async def _current(self) -> FeedPages:
        """Everything that was committed before this call."""
        newest = await self.store.revocations.newest()
        now = self.clock.now()
        if newest != self._pages.seq or now >= self._forgotten_at + _KEPT or now < self._forgotten_at:
            async with self._loading:
                # who held the lock before may have read further than this call had
                newest = await self.store.revocations.newest()
                if newest != self._pages.seq:
                    self._pages = await caught_up(self.store, self._pages, FeedPages, newest, now)
                if now >= self._forgotten_at + _KEPT or now < self._forgotten_at:
                    self._pages.forget(now)
                    self._forgotten_at = now
        return self._pages

    async def _salt_of_today(self) -> str:
        """The same in every process; nobody can tell the next one from those that were. A database that was rebuilt has others."""
        database = self._database or await self._name()
        day, salt = self._salt
        today = wire.day(self.clock.now())
        if day != today:
            salt = self.sealer.tag(_SALT_PURPOSE, f"{database}:{today}")[: wire.SALT_CHARS]
            self._salt = today, salt
        return salt

    async def _name(self) -> str:
        """The database's own name, drawn once in its life; of two processes that draw at once one wins."""
        name = await self.store.meta(_NAME)
        if name is None:
            await self.store.commit(
                self.store.attempts.claim(_NAME, "name", _FOREVER),
                self.store.put_meta(_NAME, self.chance.token(6)),
            )
            name = await self.store.meta(_NAME)
        if name is None:
            raise StoreUnavailable("the database did not keep the feed's name")
        self._database = name
        return name


def _place(cursor: str | None, name: str) -> int | None:
    if cursor is None:
        return None
    named, _, seq = cursor.rpartition(".")
    return int(seq) if named == name and seq.isascii() and seq.isdigit() and len(seq) < 17 else None


def _document(name: str, seq: int, entries: bytes, *, reset: bool, also: bytes = b"") -> bytes:
    """The answer; name and salt are base64url, which JSON need not escape."""
    begins = b"true" if reset else b"false"
    return b'{"cursor":"%s.%d","reset":%s,%s"entries":[%s]}' % (name.encode(), seq, begins, also, entries)
