"""Child processes: start, readiness, complaints and end. They run in a session of their own, so that Ctrl+C
reaches only the parent, which ends them in order."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx2

from doorward_demo.dev.complaints import Complaints
from doorward_demo.dev.trouble import CannotStart

_GRACE: Final = 13.0
"""Seconds: the server itself gives requests in progress 10."""


class Process:
    """One child, its log file, and the address that answers when it is ready."""

    def __init__(self, name: str, module: str, arguments: Sequence[str], *, log: Path, health: str) -> None:
        self.name = name
        self.log = log
        self.health = health
        self._command = [sys.executable, "-m", "doorward_demo.dev.child", module, *arguments]
        self._running: subprocess.Popen[bytes] | None = None
        self._complaints: Complaints | None = None

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it with its output in its log file, which is emptied first."""
        with self.log.open("wb") as output:
            self._running = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
                self._command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        self._complaints = Complaints(self.log)

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return None if self._running is None else self._running.poll()

    def complaints(self) -> list[str]:
        """Its complaints since the last call."""
        return [] if self._complaints is None else self._complaints.new()

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text("utf-8", errors="replace").splitlines()
        return "\n".join(lines[-15:]) or "It said nothing."

    def ask_to_end(self) -> None:
        """Send SIGTERM, unless it has ended."""
        if self._running is not None and self._running.poll() is None:
            self._running.terminate()

    def wait_for_end(self, until: float) -> None:
        """Wait until that time of the monotonic clock, then kill it."""
        if self._running is None:
            return
        try:
            self._running.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        if self._running.stdin is not None:
            self._running.stdin.close()


def wait_until_up(processes: Sequence[Process], *, seconds: float, stopped: Callable[[], bool]) -> None:
    """Wait until all answer or a stop is requested. Raises `CannotStart` when one ends or does not answer in time."""
    until = time.monotonic() + seconds
    waiting = list(processes)
    with httpx2.Client(timeout=2, trust_env=False) as client:
        while waiting and not stopped():
            for process in processes:
                if process.status is not None:
                    raise _ended(process)
            waiting = [process for process in waiting if not _answers(client, process.health)]
            if waiting and time.monotonic() > until:
                slow = waiting[0]
                raise CannotStart(
                    f"{slow.name} did not answer at {slow.health} within {seconds:g} seconds.\n{slow.last_words()}",
                    f"See {slow.log}",
                )
            if waiting:
                time.sleep(0.05)


def watch(
    processes: Sequence[Process], *, stopped: Callable[[], bool], complain: Callable[[str, str], None]
) -> None:
    """Watch until a stop is requested. Raises `CannotStart` when one ends by itself."""
    while not stopped():
        for process in processes:
            for line in process.complaints():
                complain(process.name, line)
            if process.status is not None:
                raise _ended(process)
        time.sleep(0.2)


def end(*groups: Sequence[Process]) -> None:
    """End all processes, one group after the other."""
    until = time.monotonic() + _GRACE
    for group in groups:
        for process in group:
            process.ask_to_end()
        for process in group:
            process.wait_for_end(until)


def environment() -> dict[str, str]:
    """The children's environment: everything except settings of another server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
    return {**kept, "PYTHONUTF8": "1"}


def _answers(client: httpx2.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
    except httpx2.HTTPError:
        return False


def _ended(process: Process) -> CannotStart:
    return CannotStart(
        f"{process.name} ended with status {process.status}.\n{process.last_words()}", f"See {process.log}"
    )
