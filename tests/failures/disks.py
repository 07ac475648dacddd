"""Full disks for tests: a limit on what a process may write to one file, or a separate small file system.

The limit needs no rights, and ends a write in the middle as a full disk does; the small file system needs root and the right to
mount, and is a real full disk. Both are removed at the end.
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil


@contextmanager
def no_file_beyond(size: int, pid: int) -> Generator[None]:
    """The process and its children write no file beyond `size` bytes: the system refuses (EFBIG) for the duration of the
    block."""
    one = psutil.Process(pid)
    family = [each.pid for each in (one, *one.children(recursive=True))]
    before = {each: resource.prlimit(each, resource.RLIMIT_FSIZE) for each in family}
    for each, (_, hard) in before.items():
        resource.prlimit(each, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        for each, limits in before.items():
            with suppress(ProcessLookupError):
                resource.prlimit(each, resource.RLIMIT_FSIZE, limits)


class NoMount(Exception):
    """Mounting a file system is not permitted here; the text says why."""


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Generator[Path]:
    """A separate file system in `folder/disk`. Raises `NoMount`."""
    disk = folder / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        raise NoMount("only root may mount a small file system")
    out = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if out.returncode:
        raise NoMount(f"no small file system can be mounted here: {out.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def fill(disk: Path) -> Path:
    """A file that takes every free byte; remove it to free the space."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for piece in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    file.write(b"\0" * piece)
    return ballast
