"""Server under test as a process of its own on its own core, ended with the benchmark."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Generator, Mapping, Sequence
from pathlib import Path

from bench.pin import pinned

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"


def free_port() -> int:
    """A TCP port of the loopback address that is not in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    core: int | Collection[int],
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    listen: bool = False,
) -> Generator[subprocess.Popen[str]]:
    """Start `command` pinned to `core` with its output in `log`; at the end terminate it and its children.

    With `listen` the caller reads its standard output, which must then be short: the pipe is not read later.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as written:
        with pinned(core):
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE if listen else written,
                stderr=written,
                text=True,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def wait_until_listening(process: subprocess.Popen[str], port: int, *, seconds: float, log: Path) -> None:
    """Return when `port` accepts connections. Raises RuntimeError with the end of `log` when it never does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}: {log.read_text()[-600:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port} after {seconds:.0f} s: {log.read_text()[-600:]}")


def rss_mib(pid: int, *, highest: bool = False) -> float:
    """Resident memory of one process in MiB: current (VmRSS) or peak (VmHWM)."""
    name = "VmHWM:" if highest else "VmRSS:"
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return float("nan")
