"""Revocation feed, by which an API learns of revocations within a second (docs/reference/endpoints-token.md)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from msgspec import Struct, field

from doorward.cluster.change_notifier import ChangeNotifiers
from doorward.core.errors import StoreUnavailable
from doorward.core.model.revocation import same_history
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import Sealer
from doorward.core.ports.random import SecureRandom
from doorward.features.revocations.rules import wire
from doorward.features.revocations.rules.pages import NEWS, PAGE, FeedPages
from doorward.features.revocations.rules.wire import PLAIN, hiding, plain
from doorward.features.revocations.snapshots import SnapshotPart, Snapshots
from doorward.features.revocations.view_service import caught_up
from doorward.storage.sql.store import Store

LONGEST_WAIT: Final = 25
MOST_WAITING: Final = 2000
_EVERY: Final = 0.05
_SLOWLY: Final = 0.5
_BREATH: Final = 0.005
_FOREVER: Final = 2**53
# less than the second that a stopping server gives to its last requests
_WHILE_STOPPING: Final = 0.5
_KEPT: Final = 60
_NAME: Final = "feed"
"""Key of the database's own name in `meta`, and of the claim to set it."""
_SALT_PURPOSE: Final = "feed"


class Watch(Struct, kw_only=True):
    """Wakes requests that wait for a new entry. One poller per process, running only while requests wait; it also sees commits of other
    processes to the same database, at once if a notifier reports them."""

    store: Store
    notifier: ChangeNotifiers | None = None
    _waiting: list[tuple[int, asyncio.Future[None]]] = field(
        default_factory=list[tuple[int, "asyncio.Future[None]"]]
    )
    _poller: asyncio.Task[None] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _longest: float = _FOREVER

    def __post_init__(self) -> None:
        if self.notifier is not None:
            self.notifier.listen(self._changed.set)

    async def beyond(self, seq: int, seconds: float) -> None:
        """Return when the newest entry is no longer `seq`, or after `seconds`. Raises `StoreUnavailable`.

        Returns at once when too many wait already. This is no error: anybody can take the places, and an API that got a 503 instead
        of the feed would stop trusting its view, and with it every token, for as long as an attacker holds them.
        """
        if len(self._waiting) >= MOST_WAITING:
            return
        waiter = asyncio.get_running_loop().create_future()
        entry = (seq, waiter)
        self._waiting.append(entry)
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll())
        try:
            async with asyncio.timeout(min(seconds, self._longest)):
                await waiter
        except TimeoutError:
            return
        finally:
            self._waiting.remove(entry)

    def release(self) -> None:
        """Answer all waiting requests at once, and later ones within half a second, because the process is shutting down."""
        self._longest = _WHILE_STOPPING
        for _, waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def _poll(self) -> None:
        try:
            while self._waiting:
                self._changed.clear()
                newest = await self.store.revocations.newest()
                for seq, waiter in self._waiting:
                    if seq != newest and not waiter.done():
                        waiter.set_result(None)
                # one query answers for many notifications
                await asyncio.sleep(_BREATH)
                await self._until_changed()
        except StoreUnavailable as problem:
            for _, waiter in self._waiting:
                if not waiter.done():
                    waiter.set_exception(problem)
        finally:
            self._poller = None

    async def _until_changed(self) -> None:
        """Wait for a notification. A missed one costs half a second; without a connected notifier the wait is shorter."""
        heard = self.notifier is not None and self.notifier.connected
        with suppress(TimeoutError):
            async with asyncio.timeout(_SLOWLY if heard else _EVERY):
                await self._changed.wait()


class RevocationFeed(Struct, kw_only=True):
    """All live entries, or those after a cursor; in pages in the second edition.

    A cursor names the database and the salt as well as the position, so that one from before a rebuild, or of another day, gets all
    entries instead of none. The live entries are read from the database once and extended at the end: a request costs one small
    read, whatever its cursor.
    """

    store: Store
    random: SecureRandom
    clock: Clock
    watch: Watch
    sealer: Sealer
    snapshots: Snapshots
    _database: str | None = None
    _salt: tuple[int, str] = (-1, "")
    _pages: FeedPages = field(default_factory=FeedPages)
    _forgotten_at: int = 0
    _whole: tuple[int, FeedPages | None, bytes] = (-1, None, b"")
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def load(self) -> None:
        """Read the live entries, before the process serves: an API whose poll came to it would wait for all of them, and hear of nothing
        meanwhile."""
        await self._current()

    async def plain(self, after: str | None, wait: float) -> bytes:
        """The first edition, with ids in clear and in one piece. `wait` in seconds, at most `LONGEST_WAIT`: the response is delayed
        until there is a new entry."""
        database = self._database or await self._name()
        pages, seq = await self._found(_place(after, database), wait, None)
        if seq is None or pages.behind(seq) > NEWS:
            made, of, body = self._whole
            if made != pages.seq or of is not pages:
                body = _document(database, pages.seq, pages.whole(PLAIN, plain), reset=True)
                self._whole = pages.seq, pages, body
            return body
        return _document(database, pages.seq, pages.news(seq, PLAIN, plain), reset=False)

    async def pages(
        self, after: str | None, wait: float, *, audience: str | None = None, snapshots: bool = False
    ) -> bytes:
        """The second edition: ids hidden by a salt, and at most one page per response. `more`: the next page is available at once.

        With an `audience` only the entries that concern that API. With `snapshots`, a view of several pages that begins anew begins with
        the addresses of snapshots.
        """
        salt = await self._salt_of_today()
        pages, seq = await self._found(_place(after, salt), wait, audience)
        if snapshots and seq is None and len(pages) > PAGE:
            names, reached = await self.snapshots.offered(pages, salt, audience)
            addresses = b'","'.join(name.encode() for name in names)
            also = b'"salt":"%s","more":true,"snapshots":["%s"],' % (salt.encode(), addresses)
            return _document(salt, reached, b"", reset=True, also=also)
        part = pages.after(seq or 0, salt, hiding(salt), pages.known(audience))
        also = b'"salt":"%s","more":%s,' % (salt.encode(), b"false" if part.last else b"true")
        return _document(salt, part.seq, part.text, reset=seq is None, also=also)

    async def snapshot(self, name: str) -> SnapshotPart | None:
        """The file of this name (`rules/snapshot.py`); None for one that is not offered now."""
        salt = await self._salt_of_today()
        return await self.snapshots.file(await self._current(), salt, name)

    async def _found(
        self, seq: int | None, wait: float, audience: str | None
    ) -> tuple[FeedPages, int | None]:
        """The current view, and the position of the cursor in it; None when the response has to start from the beginning. Waits while
        nothing after the cursor concerns the audience."""
        pages = await self._current()
        if seq is not None and wait > 0 and same_history(seq, pages.seq):
            ends = asyncio.get_running_loop().time() + min(wait, LONGEST_WAIT)
            known = seq
            while known == pages.seq or (seq < pages.seq and not pages.concerns(seq, audience)):
                known = pages.seq
                await self.watch.beyond(known, ends - asyncio.get_running_loop().time())
                pages = await self._current()
                if pages.seq == known or not same_history(seq, pages.seq):
                    break
        if seq is not None and (seq > pages.seq or not same_history(seq, pages.seq)):
            seq = None
        return pages, seq

    async def _current(self) -> FeedPages:
        """Everything committed before this call."""
        newest = await self.store.revocations.newest()
        now = self.clock.now()
        if newest != self._pages.seq or now >= self._forgotten_at + _KEPT or now < self._forgotten_at:
            async with self._loading:
                # the previous holder of the lock may have read further than this call did
                newest = await self.store.revocations.newest()
                if newest != self._pages.seq:
                    self._pages = await caught_up(self.store, self._pages, FeedPages, newest, now)
                if now >= self._forgotten_at + _KEPT or now < self._forgotten_at:
                    self._pages.forget(now)
                    self._forgotten_at = now
        return self._pages

    async def _salt_of_today(self) -> str:
        """The salt of the day, the same in every process, and not predictable from earlier ones. A rebuilt database has others."""
        database = self._database or await self._name()
        day, salt = self._salt
        today = wire.day(self.clock.now())
        if day != today:
            salt = self.sealer.tag(_SALT_PURPOSE, f"{database}:{today}")[: wire.SALT_CHARS]
            self._salt = today, salt
        return salt

    async def _name(self) -> str:
        """The database's own name, drawn once; of two processes that draw concurrently one wins."""
        name = await self.store.meta(_NAME)
        if name is None:
            await self.store.commit(
                self.store.replay_cache.claim(_NAME, "name", _FOREVER),
                self.store.put_meta(_NAME, self.random.token(6)),
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
    """The response; name and salt are base64url, which JSON need not escape."""
    begins = b"true" if reset else b"false"
    return b'{"cursor":"%s.%d","reset":%s,%s"entries":[%s]}' % (name.encode(), seq, begins, also, entries)
