"""Distribution of new connections over the workers: the worker with the fewest connections accepts.

All workers wait on one listening socket. Without this, the worker that wakes first would accept every waiting connection and keep
it for the connection's life: of four workers, three would be idle. So each worker writes its number of connections into shared
memory, and a worker that has more than another waits for a moment. If no other worker accepted meanwhile, it accepts the
connection itself.
"""

from __future__ import annotations

import asyncio
import errno
import mmap
import os
import socket
import struct
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, final

PLACES: Final = 128
"""Twice the maximum number of workers: during a reload old and new workers exist together."""
_NOBODY: Final = 2**31 - 1
_BYTES: Final = 4 * PLACES
# Long enough for another worker to wake up, and too short to be noticed. The delay grows with the difference in connections,
# because on a busy machine the wake-up itself takes long.
_STEP_BACK: Final = 0.002
_LONGEST: Final = 0.02
# No descriptors or no memory: an immediate retry would fail again.
_PAUSE: Final = 0.2
# SO_ATTACH_FILTER of socket(7), and a program of one instruction: return 0, the number of bytes that pass.
_ATTACH_FILTER: Final = 26
_DROP: Final = struct.pack("HBBI", 0x06, 0, 0, 0)
_EXHAUSTED: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


@final
class ConnectionCounts:
    """The number of connections of each worker, in memory that the supervisor and all workers share by a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _BYTES)
        self._counts = memoryview(self._memory).cast("i")

    @classmethod
    def new(cls) -> ConnectionCounts:
        """Counts without any worker. Raises OSError."""
        descriptor = _memory()
        os.truncate(descriptor, _BYTES)
        os.set_inheritable(descriptor, True)
        counts = cls(descriptor)
        for place in range(PLACES):
            counts.away(place)
        return counts

    def write(self, place: int, connections: int) -> None:
        """Record the number of connections of a worker."""
        self._counts[place] = connections

    def away(self, place: int) -> None:
        """Record that this place has no worker, or one that accepts no more connections."""
        self._counts[place] = _NOBODY

    def fewest(self, but: int) -> int:
        """The smallest number of connections of all other workers."""
        return min((count for place, count in enumerate(self._counts) if place != but), default=_NOBODY)

    def others(self, but: int) -> bool:
        """Whether there is another worker."""
        return self.fewest(but) != _NOBODY


@final
class AcceptBalancer:
    """One listening socket of one worker. `connections` returns the worker's number of connections, `accept_connection` serves a new one."""

    def __init__(
        self,
        *,
        listener: socket.socket,
        counts: ConnectionCounts,
        place: int,
        connections: Callable[[], int],
        accept_connection: Callable[[socket.socket], Coroutine[Any, Any, None]],
    ) -> None:
        self._listener = listener
        self._counts = counts
        self._place = place
        self._connections = connections
        self._accept_connection = accept_connection
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._later: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Start accepting."""
        self._listener.setblocking(False)
        self._later = None
        self._loop.add_reader(self._listener.fileno(), self._on_waiting)

    def close(self) -> None:
        """Stop accepting. The socket is not closed."""
        if self._later is not None:
            self._later.cancel()
        else:
            self._loop.remove_reader(self._listener.fileno())

    def _on_waiting(self) -> None:
        mine = self._connections()
        self._counts.write(self._place, mine)
        more = mine - self._counts.fewest(self._place)
        if more > 0:
            self._pause(min(more * _STEP_BACK, _LONGEST), self._on_rested)
        else:
            self._accept()

    def _on_rested(self) -> None:
        self.open()
        self._accept()

    def _pause(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._later = self._loop.call_later(seconds, then)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError as problem:
            if problem.errno in _EXHAUSTED:
                self._pause(_PAUSE, self.open)
            return  # another worker was quicker, or the client has disconnected
        task = self._loop.create_task(self._accept_connection(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _memory() -> int:
    if sys.platform == "linux":
        return os.memfd_create("doorward-counts")
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def drain_backlog(listeners: Sequence[socket.socket]) -> list[socket.socket]:
    """The connections that wait in the queues of these sockets. After the call no client can connect: an attempt gets no answer
    until the sockets are closed, and is refused then."""
    waiting: list[socket.socket] = []
    for listener in listeners:
        _stop_backlog(listener)
        listener.setblocking(False)
        try:
            while True:
                waiting.append(listener.accept()[0])
        except OSError:
            continue
    return waiting


def _stop_backlog(listener: socket.socket) -> None:
    # the backlog still admits one connection, where it could be thousands
    listener.listen(0)
    if sys.platform != "linux" or listener.family == socket.AF_UNIX:
        return
    import ctypes

    # This closes the last gap with a filter that drops every packet. Without it, on a busy machine, a client could connect
    # between the last look into the queue and the close of the socket, and its connection would be reset.
    program = ctypes.create_string_buffer(_DROP)
    address = struct.pack("HP", 1, ctypes.addressof(program))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, address)
