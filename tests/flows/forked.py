"""Server processes forked from one that has already imported the server (`tests/flows/forking.py`): a start in a third of the time.

The fork runs the entry point `doorward.server`, which `doorward serve` executes; the command itself is run in tests/server and
tests/deploy. There is one such program in each worker of pytest; servers that still run are killed when the worker ends.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

from tests.flows.settings import ROOT, SOURCES, environment

_PROGRAM = Path(__file__).with_name("forking.py")
_lock = threading.Lock()


class Forked:
    """One server process, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, folder: Path, log: Path, environ: dict[str, str]) -> None:
        start = {"environ": environ, "folder": str(folder), "log": str(log)}
        self.pid: int = _asked(start=start)["pid"]
        # nobody else gets this id before it is reaped, which only `poll` and `wait` ask for
        self._ended = os.pidfd_open(self.pid)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._look(0)

    def wait(self, timeout: float) -> int:
        """The exit status, after the end. Raises `subprocess.TimeoutExpired`."""
        status = self._look(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(str(_PROGRAM), timeout)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._ended, number)

    def kill(self) -> None:
        """kill -9."""
        self.send_signal(signal.SIGKILL)

    def _look(self, seconds: float) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], seconds)[0]:
            self.returncode = _asked(reap=self.pid)["status"]
            os.close(self._ended)
        return self.returncode


@cache
def _program() -> subprocess.Popen[bytes]:
    started = subprocess.Popen(
        # its own folder is not searched for modules
        [sys.executable, "-P", str(_PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment([*SOURCES, ROOT]),
        start_new_session=True,
    )
    atexit.register(_end, started)
    return started


def _end(started: subprocess.Popen[bytes]) -> None:
    started.communicate()


def _asked(**request: Any) -> dict[str, Any]:
    with _lock:
        program = _program()
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(json.dumps(request).encode() + b"\n")
        program.stdin.flush()
        line = program.stdout.readline()
    assert line, "the program that forks servers has ended"
    return json.loads(line)
