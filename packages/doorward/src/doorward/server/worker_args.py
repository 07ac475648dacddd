"""Arguments of one server process: its role, and the descriptors and workers that already exist."""

from __future__ import annotations

import os
import sys
from typing import Final, Literal

import msgspec
from msgspec import Struct

MODULE: Final = "doorward.server"
"""The module name by which a running program of another version starts this one at a reload: the next version needs it too."""


class WorkerArgs(
    Struct, frozen=True, omit_defaults=True, rename={"parent_pipe": "lifeline", "counts": "board"}
):
    """Arguments as JSON on the command line of `python -m doorward.server`; numbers are file descriptors and process ids.

    A worker writes a byte to `ready` when it answers, and stops when `parent_pipe` closes, which happens when the supervisor that
    holds its other end exits. `handed` listeners belong to the service manager, which keeps them open. `counts` and `place`: see
    `accept.py`; each reload is a `generation` and uses the other half of the places. A supervisor that replaced itself finds the
    `workers` by number and the stopping ones in `leaving`.
    """

    role: Literal["first", "head", "worker"] = "first"
    listeners: tuple[int, ...] = ()
    handed: bool = False
    number: int = 0
    ready: int | None = None
    parent_pipe: tuple[int, ...] = ()
    counts: int | None = None
    place: int = 0
    generation: int = 0
    workers: dict[int, int] = {}
    leaving: tuple[int, ...] = ()
    again: bool = False


def read(arguments: list[str]) -> WorkerArgs:
    """The arguments of this process; without any it is the first process. Raises `msgspec.MsgspecError`."""
    return msgspec.json.decode(arguments[0], type=WorkerArgs) if arguments else WorkerArgs()


def command(arguments: WorkerArgs) -> list[str]:
    """The command line that carries them. `-P` keeps the working directory out of Python's module search path: a file there with
    the name of one of our modules, or of Python's, must not be loaded."""
    return [sys.executable, "-P", "-m", MODULE, msgspec.json.encode(arguments).decode()]


def spawn(arguments: WorkerArgs, environment: dict[str, str]) -> int:
    """Start a process with these arguments and the inheritable descriptors; returns its id. Raises OSError.

    It runs the new code, if there is new code: the interpreter reads it from the disk.
    """
    return os.posix_spawn(sys.executable, command(arguments), environment, setsigmask=[])
