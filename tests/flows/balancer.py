"""Balancer in front of several server processes: each connection goes to the next process that accepts one. A test can cut it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from itertools import count

from tests.ports import free_port
from tests.waiting import PATIENCE

_CHUNK = 1 << 18


class Balancer:
    """A TCP relay on `port`. `carried` counts the bytes of answers."""

    def __init__(self) -> None:
        self.port = free_port()
        self.ports: Sequence[int] = ()
        self.carried = 0
        self.healed_at = 0.0
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._cut = False
        self._refused = b""
        self._turn = count()

    def cut(self) -> None:
        """Break every connection, and each new one, until `heal`."""
        self._cut = True
        asyncio.run_coroutine_threadsafe(self._break(), self._loop).result(PATIENCE)

    def heal(self) -> None:
        """Let connections through again."""
        self._cut, self._refused = False, b""
        self.healed_at = time.monotonic()

    def refuse(self, start: bytes) -> None:
        """Break every connection, and each new one whose first bytes are these."""
        self._refused = start
        asyncio.run_coroutine_threadsafe(self._break(), self._loop).result(PATIENCE)

    async def _break(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            for _ in self.ports:
                if self._cut:
                    break
                port = self.ports[next(self._turn) % len(self.ports)]
                try:
                    there, back = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    continue
                await asyncio.gather(
                    self._pass(reader, back, answers=False), self._pass(there, writer, answers=True)
                )
                break
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                self.carried += len(data) if answers else 0
                if self._refused and not answers and data.startswith(self._refused):
                    break
                writer.write(data)
                await writer.drain()
        if answers or self._refused:
            writer.transport.abort()
        else:
            writer.close()

    def _run(self, ready: threading.Event) -> None:
        async def listen() -> None:
            await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            ready.set()

        self._loop.run_until_complete(listen())
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()


@contextmanager
def balancing() -> Generator[Balancer]:
    """A balancer for the duration of the block. Give it the `ports` of the processes when they are known."""
    made, ready = Balancer(), threading.Event()
    thread = threading.Thread(target=made._run, args=(ready,), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield made
    finally:
        made.cut()
        made._loop.call_soon_threadsafe(made._loop.stop)
        thread.join(PATIENCE)
