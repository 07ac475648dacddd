"""Which of several workers lets the next guest in? The one with the fewest.

All workers wait at one socket. Whoever wakes first would take everybody who is there, and keep them for as long as their
connections last: with four workers three would rest. So each writes down in memory that all of them see how many it has, and one that
has more than another steps back for a moment. If nobody came in its place, it lets the guest in all the same.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import mmap
import os
import socket
import struct
import sys
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, final

PLACES: Final = 128
"""Twice as many as there can be workers: at a reload the old ones and the new ones are there together."""
_NOBODY: Final = 2**31 - 1
_BYTES: Final = 4 * PLACES
# Long enough for another worker to wake up, and shorter than anybody notices; longer, the more it has than another, since the
# machine may be so busy that it is the waking that takes long.
_STEP_BACK: Final = 0.002
_LONGEST: Final = 0.02
# No descriptors or no memory: it helps nobody to ask again at once.
_PAUSE: Final = 0.2
# SO_ATTACH_FILTER of socket(7), and a program of one instruction: return 0, the number of bytes that pass.
_ATTACH_FILTER: Final = 26
_DROP: Final = struct.pack("HBBI", 0x06, 0, 0, 0)
_EXHAUSTED: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


@final
class Board:
    """How many guests each worker has, in memory that the head and all workers share by a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _BYTES)
        self._counts = memoryview(self._memory).cast("i")

    @classmethod
    def new(cls) -> Board:
        """With nobody on it. Raises OSError."""
        descriptor = _memory()
        os.truncate(descriptor, _BYTES)
        os.set_inheritable(descriptor, True)
        board = cls(descriptor)
        for place in range(PLACES):
            board.away(place)
        return board

    def write(self, place: int, guests: int) -> None:
        """A worker says how many it has."""
        self._counts[place] = guests

    def away(self, place: int) -> None:
        """There is no worker at this place, or it takes nobody any more."""
        self._counts[place] = _NOBODY

    def fewest(self, but: int) -> int:
        """The least of all others."""
        return min((count for place, count in enumerate(self._counts) if place != but), default=_NOBODY)

    def others(self, but: int) -> bool:
        """Whether there is another worker."""
        return self.fewest(but) != _NOBODY


@final
class Door:
    """One listening socket of one worker. `guests` says how many it has, `let_in` takes one more."""

    def __init__(
        self,
        *,
        listener: socket.socket,
        board: Board,
        place: int,
        guests: Callable[[], int],
        let_in: Callable[[socket.socket], Coroutine[Any, Any, None]],
    ) -> None:
        self._listener = listener
        self._board = board
        self._place = place
        self._guests = guests
        self._let_in = let_in
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._later: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Begin."""
        self._listener.setblocking(False)
        self._later = None
        self._loop.add_reader(self._listener.fileno(), self._somebody)

    def close(self) -> None:
        """Nobody else is let in here. The socket is not closed."""
        if self._later is not None:
            self._later.cancel()
        else:
            self._loop.remove_reader(self._listener.fileno())

    def _somebody(self) -> None:
        mine = self._guests()
        self._board.write(self._place, mine)
        more = mine - self._board.fewest(self._place)
        if more > 0:
            self._rest(min(more * _STEP_BACK, _LONGEST), self._nobody_else)
        else:
            self._accept()

    def _nobody_else(self) -> None:
        self.open()
        self._accept()

    def _rest(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._later = self._loop.call_later(seconds, then)

    def _accept(self) -> None:
        try:
            guest, _ = self._listener.accept()
        except OSError as problem:
            if problem.errno in _EXHAUSTED:
                self._rest(_PAUSE, self.open)
            return  # another worker was quicker, or the guest has gone
        task = self._loop.create_task(self._let_in(guest))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _memory() -> int:
    if sys.platform == "linux":
        return os.memfd_create("doorward-board")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def everybody_waiting(listeners: Sequence[socket.socket]) -> list[socket.socket]:
    """Who is connected and was not let in yet. Nobody can connect any more when this returns: who tries is refused when the
    sockets are closed, and meanwhile hears nothing."""
    waiting: list[socket.socket] = []
    for listener in listeners:
        _bolt(listener)
        listener.setblocking(False)
        try:
            while True:
                waiting.append(listener.accept()[0])
        except OSError:
            continue
    return waiting


def _bolt(listener: socket.socket) -> None:
    # one may still come, where thousands could
    listener.listen(0)
    if sys.platform != "linux" or listener.family == socket.AF_UNIX:
        return
    # and here not even one: a filter that lets no packet pass. Between the last look into the queue and the close of the socket
    # somebody else would come, on a busy machine, and be broken off.
    program = ctypes.create_string_buffer(_DROP)
    address = struct.pack("HP", 1, ctypes.addressof(program))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, address)
