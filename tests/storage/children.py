"""Start of child processes on the test database, and collection of their output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.storage.stores import Opener
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


def start(opener: Opener, task: str, *rest: str, seed: str = "random") -> subprocess.Popen[str]:
    """A child that waits for `go`. Its standard output is a pipe; `seed` determines its iteration order of sets."""
    path = os.pathsep.join(
        [str(ROOT), str(ROOT / "packages/doorward/src"), str(ROOT / "packages/doorward-verify/src")]
    )
    return subprocess.Popen(
        [sys.executable, "-m", "tests.storage.child", opener.kind, opener.place, task, *rest],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
        cwd=ROOT,
    )


def go(*children: subprocess.Popen[str]) -> None:
    """Start children together, once each has opened the database."""
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()


def said(*children: subprocess.Popen[str]) -> list[list[str]]:
    """The output lines of each child, which must all have succeeded."""
    lines: list[list[str]] = []
    for child in children:
        out, _ = child.communicate(timeout=PATIENCE)
        assert child.returncode == 0
        lines.append(out.splitlines())
    return lines
