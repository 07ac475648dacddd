"""Relay on the wire to PostgreSQL: counts how often the client waits for an answer, and can cut or hold the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

# PostgreSQL's protocol, "Message Formats": a server answers Query and Sync with ReadyForQuery; Flush requests pending
# output.
_WAITS = frozenset({b"Q", b"S", b"H"})


class Relay:
    """Between a store and its server. `trips` counts the messages that had to be waited for."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._parts = parts
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._lines: set[asyncio.StreamWriter] = set()
        self._port = 0
        self._serving: set[asyncio.Task[None]] = set()
        self.trips = 0
        self.deaf = False
        """Answers are held back from now on, as when the connection broke after the request was sent."""

    @property
    def url(self) -> str:
        user, at, _ = self._parts.netloc.rpartition("@")
        return urlunsplit(self._parts._replace(netloc=f"{user}{at}127.0.0.1:{self._port}"))

    def cut(self) -> None:
        """Break every connection now."""
        for line in tuple(self._lines):
            line.transport.abort()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def end(self) -> None:
        """Break every connection, and stop the relay."""
        self.cut()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, out = await asyncio.open_connection(*self._target)
        self._lines |= {writer, out}
        with suppress(OSError, asyncio.IncompleteReadError):
            await asyncio.gather(self._up(reader, out), self._down(there, writer))
        for line in (writer, out):
            self._lines.discard(line)
            line.transport.abort()

    async def _up(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        # the first message has no type byte
        kind = b""
        while True:
            length = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(length, "big") - 4)
            if kind and kind in _WAITS:
                self.trips += 1
            out.write(kind + length + body)
            await out.drain()
            kind = b"" if not kind and body[:4] == _ENCRYPT else await reader.readexactly(1)

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.deaf:
                self.cut()
                return
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


_ENCRYPT = (80877103).to_bytes(4, "big")


@asynccontextmanager
async def relay(url: str) -> AsyncIterator[Relay]:
    """A relay to the server of `url` for the duration of the block."""
    made = Relay(url)
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
    made._port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.end()
