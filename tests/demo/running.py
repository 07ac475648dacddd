"""Helpers that start `doorward dev` and `doorward demo` as processes, in a folder and on ports of their own.

Every process that such a test starts has the folder's path in its command line or environment, so that
leftovers are found.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from doorward_demo.dev.folder import Folder
from doorward_demo.dev.places import free_places
from doorward_demo.dev.state import State
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment in which the packages are found, with the folder's mark, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
    sources = [str(ROOT / "packages" / name / "src") for name in ("doorward", "doorward-verify")]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(sources),
        "TMPDIR": str(folder),
        "DEMO_TEST_FOLDER": str(folder),
        "CI": "true",
        **more,
    }


def command(*arguments: str) -> list[str]:
    """The command line `doorward …`."""
    return [sys.executable, "-m", "doorward", *arguments]


def run(folder: Path, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(folder),
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def left_running(folder: Path) -> list[str]:
    """The command lines of processes that still run with the folder's mark."""
    mark = f"DEMO_TEST_FOLDER={folder}".encode()
    found: list[str] = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            marked = mark in (process / "environ").read_bytes().split(b"\0")
            # of any process of this machine: an argument need not be text
            line = os.fsdecode((process / "cmdline").read_bytes().replace(b"\0", b" "))
            # an ended process that is not yet reaped has no command line
        except OSError:
            continue
        if marked and line.strip():
            found.append(line)
    return found


def nothing_left(folder: Path) -> bool:
    """Whether all of them end."""
    until = time.monotonic() + PATIENCE
    while left_running(folder):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


@dataclass
class Dev:
    """A running `doorward dev`."""

    folder: Path
    process: subprocess.Popen[bytes]
    state: State
    took: float

    @property
    def printed(self) -> str:
        """Its output so far."""
        return (self.folder / "printed").read_text("utf-8")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to stop it. Returns its exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def start(folder: Path, port: int | None = None, *options: str, **more: str) -> Dev:
    """Start it, with `more` in its environment, and wait until it reports ready."""
    began = time.monotonic()
    chosen = port or free_places().port
    with (folder / "printed").open("wb") as printed:
        process = subprocess.Popen(
            command("dev", "--no-browser", "--port", str(chosen), *options),
            cwd=folder,
            env=environment(folder, **more),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    while True:
        state = Folder(folder).running()
        if state is not None and state.ready and "is up" in (folder / "printed").read_text("utf-8"):
            return Dev(folder, process, state, time.monotonic() - began)
        if process.poll() is not None or time.monotonic() - began > PATIENCE:
            process.kill()
            process.wait()
            raise AssertionError((folder / "printed").read_text("utf-8"))
        time.sleep(0.05)


@contextmanager
def dev(folder: Path, *options: str) -> Iterator[Dev]:
    """A running `doorward dev`, ended afterwards with all its processes."""
    running = start(folder, None, *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()
        assert nothing_left(folder), left_running(folder)


def steps(output: str) -> Sequence[str]:
    """The lines of a JSON drive."""
    return [line for line in output.splitlines() if line]
