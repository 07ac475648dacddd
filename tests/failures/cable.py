"""Relay between a server and its database that a test can cut at a chosen moment.

with cable(port_of_the_database) as line:
    url = line.through(server.create())     # the address for the server
    line.cut_at(b"...", answered=True)      # the request with these bytes is executed, and its response is lost
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from tests.waiting import PATIENCE

READY = b"Z\x00\x00\x00\x05"
"""ReadyForQuery: PostgreSQL has answered a request completely."""


@dataclass
class _Cut:
    needle: bytes
    answered: bool
    skip: int


class Cable:
    """A TCP relay on a port of 127.0.0.1."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._wanted: _Cut | None = None
        self._down = False
        self._forgotten = 0
        self._made = 0
        self.port = 0
        self.cuts = 0
        """How often a requested cut happened."""

    def through(self, url: str) -> str:
        """The URL of the same database through this relay."""
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{self.port}"))

    def cut_at(self, needle: bytes, *, answered: bool, skip: int = 0) -> None:
        """Cut once, when a request that contains `needle` is sent: after the database has executed it (`answered`), else before
        the database sees it. `skip`: how many of them pass first."""
        self._wanted = _Cut(needle, answered, skip)

    def cut(self) -> None:
        """Break every connection now; new ones are accepted."""
        asyncio.run_coroutine_threadsafe(self._break(), self._loop).result(10)

    def pull(self) -> None:
        """Cut, and accept no connection until `plug`."""
        self._down = True
        self.cut()

    def plug(self) -> None:
        """Accept connections again."""
        self._down = False

    def forget(self) -> None:
        """Open connections stay open but carry nothing any more, as when a router has forgotten them."""
        self._forgotten = self._made

    async def _break(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._down:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}
        self._made += 1
        number = self._made
        lost = asyncio.Event()
        try:
            await asyncio.gather(
                self._to_database(reader, back, lost, number),
                self._from_database(there, writer, lost, number),
            )
        finally:
            for end in (writer, back):
                self._open.discard(end)
                end.transport.abort()

    async def _to_database(
        self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, lost: asyncio.Event, number: int
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if number <= self._forgotten:
                    continue
                cut = self._cut_for(data)
                if cut is not None:
                    self.cuts += 1
                    if not cut.answered:
                        break
                    lost.set()
                back.write(data)
        if not lost.is_set():
            back.transport.abort()

    async def _from_database(
        self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event, number: int
    ) -> None:
        unheard = b""
        with suppress(OSError):
            while data := await there.read(1 << 16):
                if number <= self._forgotten:
                    continue
                if not lost.is_set():
                    writer.write(data)
                    continue
                unheard += data
                if READY in unheard:
                    break
        writer.transport.abort()

    def _cut_for(self, data: bytes) -> _Cut | None:
        wanted = self._wanted
        if wanted is None or wanted.needle not in data:
            return None
        if wanted.skip:
            wanted.skip -= 1
            return None
        self._wanted = None
        return wanted

    def _run(self, ready: threading.Event) -> None:
        async def listen() -> None:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()

        self._loop.run_until_complete(listen())
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()


@contextmanager
def cable(upstream: int) -> Generator[Cable]:
    """A relay to the port `upstream` for the duration of the block."""
    line = Cable(upstream)
    ready = threading.Event()
    thread = threading.Thread(target=line._run, args=(ready,), daemon=True)
    thread.start()
    ready.wait(PATIENCE)
    try:
        yield line
    finally:
        line.cut()
        line._loop.call_soon_threadsafe(line._loop.stop)
        thread.join(PATIENCE)
