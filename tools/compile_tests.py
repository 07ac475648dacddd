"""Compilation of the tests before their first run: by one process for each core, once.

Each worker of pytest imports every test file. Without compiled files all of them compile all files at the same moment, which takes as many
times as long as there are workers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"


def shares(count: int) -> list[list[str]]:
    """The test files of `count` processes, of about the same size."""
    found: list[list[str]] = [[] for _ in range(count)]
    sizes = [0] * count
    for path in sorted(TESTS.rglob("test_*.py"), key=lambda path: path.stat().st_size, reverse=True):
        least = sizes.index(min(sizes))
        found[least].append(str(path))
        sizes[least] += path.stat().st_size
    return found


def main() -> int:
    """Zero in any case: what cannot be compiled fails in its own test run, which says why."""
    if sys.dont_write_bytecode or (TESTS / "__pycache__").exists():
        return 0
    sys.stderr.write("compile_tests: compiling the tests for their first run\n")
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-p", "no:xdist"]
    running = [
        subprocess.Popen([*command, *files], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for files in shares(os.cpu_count() or 1)
    ]
    for process in running:
        process.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
