"""Assignment of cores: one for the server and another for the load, so that they never share."""

import contextlib
import os
from collections.abc import Collection, Generator
from dataclasses import dataclass

_FIRST = -19


@dataclass(frozen=True, slots=True)
class Cores:
    """The two cores of a run. On a machine with a single core they are the same, and `shared` says so."""

    server: int
    load: int

    @property
    def shared(self) -> bool:
        """True when server and load shared a core: the figures then mean little."""
        return self.server == self.load


def choose() -> Cores:
    """The last two cores that this process may use: the first ones tend to handle the machine's interrupts."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(server=allowed[-1], load=allowed[-2] if len(allowed) > 1 else allowed[-1])


def pin(core: int) -> None:
    """Pin this thread, and the threads and processes that it starts from now on, to one core."""
    os.sched_setaffinity(0, {core})


def come_first() -> bool:
    """Raise the priority of this process and all its children; False when only root may do that.

    It applies to all sides alike: the servers, the load and bare Argon2id. It reduces noise on a busy machine.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _FIRST)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def pinned(cores: int | Collection[int]) -> Generator[None]:
    """Pin this thread to `cores` for the duration. Processes and threads started inside stay pinned."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cores} if isinstance(cores, int) else cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
