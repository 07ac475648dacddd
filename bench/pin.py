"""Which core does what? The server has one to itself, the load another, so that they never share."""

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
        """True when server and load had to share a core: figures are then worth little."""
        return self.server == self.load


def choose() -> Cores:
    """The last two cores that this process may use: the first ones tend to take the machine's interrupts."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(server=allowed[-1], load=allowed[-2] if len(allowed) > 1 else allowed[-1])


def pin(core: int) -> None:
    """Keeps this thread, and the threads and processes that it starts from now on, to one core."""
    os.sched_setaffinity(0, {core})


def come_first() -> bool:
    """Puts this process, and everything that it starts, before whatever else the machine does; False where only root may.

    All sides alike: the servers, the load, and bare Argon2id. It takes some of the chance out of a busy machine's figures.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _FIRST)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def pinned(cores: int | Collection[int]) -> Generator[None]:
    """This thread on `cores` for the duration: a process or thread that is started inside inherits it for good."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cores} if isinstance(cores, int) else cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
