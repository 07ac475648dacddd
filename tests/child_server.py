"""Server of another project as a child process of the tests: started until it answers, killed, frozen and thawed."""

from __future__ import annotations

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.waiting import PATIENCE


@dataclass(kw_only=True)
class ChildServer(ABC):
    """One process, which a subclass describes by its command line, and by whether it answers."""

    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Its command line."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it can be used."""

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self.answers():
                return
            time.sleep(0.02)
        raise RuntimeError(f"{type(self).__name__} does not answer")

    def kill(self) -> None:
        """End it at once, also while it is frozen."""
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
