"""What is one process of the server told on its command line: what to be, and which descriptors and workers are there already?"""

from __future__ import annotations

import os
import sys
from typing import Final, Literal

import msgspec
from msgspec import Struct

MODULE: Final = "doorward.server"
"""Started by name by whichever program is running when it is told to reload: the next version has to have it too."""


class Orders(Struct, frozen=True, omit_defaults=True):
    """As JSON on the command line of `python -m doorward.server`; numbers are file descriptors and process ids.

    A worker writes a byte to `ready` when it answers, and leaves when `lifeline` ends, which it does with the head that holds its
    other end. `handed` listeners are the service manager's, which keeps them open. `board` and `place`: see `door.py`; each reload is
    a `generation`, and takes the other half of the places. A head that took its own place finds the `workers` by number and those on their way out in `leaving`.
    """

    role: Literal["first", "head", "worker"] = "first"
    listeners: tuple[int, ...] = ()
    handed: bool = False
    number: int = 0
    ready: int | None = None
    lifeline: tuple[int, ...] = ()
    board: int | None = None
    place: int = 0
    generation: int = 0
    workers: dict[int, int] = {}
    leaving: tuple[int, ...] = ()
    again: bool = False


def read(arguments: list[str]) -> Orders:
    """The orders; none is the first process. Raises `msgspec.MsgspecError`."""
    return msgspec.json.decode(arguments[0], type=Orders) if arguments else Orders()


def command(orders: Orders) -> list[str]:
    """The command line that carries them. Modules are looked for where Python is installed, and not first in the folder that the
    server happens to be started in (`-P`): what lies there under the name of one of ours, or of Python's, is no part of it."""
    return [sys.executable, "-P", "-m", MODULE, msgspec.json.encode(orders).decode()]


def spawn(orders: Orders, environment: dict[str, str]) -> int:
    """Start a process with these orders and the inheritable descriptors; answers its id. Raises OSError.

    The new code, if there is new code: the interpreter reads it from the disk.
    """
    return os.posix_spawn(sys.executable, command(orders), environment, setsigmask=[])
