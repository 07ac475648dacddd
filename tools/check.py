"""Static checks, without running the product: format, lint, types, import contracts, repository tests.

Every step runs, even after a failed one, so that one run reports all faults. The types take longest, and use more than one core:
the other steps run beside them, one after the other, with a lower priority.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
BIN = Path(PYTHON).parent

AT_ONCE = 2
BESIDE = ["nice", "-n", "10"]
STEPS: tuple[tuple[str, list[str]], ...] = (
    ("types", [PYTHON, "-m", "basedpyright"]),
    ("format", [*BESIDE, PYTHON, "-m", "ruff", "format", "--check", "."]),
    ("lint", [*BESIDE, PYTHON, "-m", "ruff", "check", "."]),
    ("import contracts", [*BESIDE, PYTHON, str(BIN / "lint-imports"), "--config", "pyproject.toml"]),
    ("repository tests", [*BESIDE, PYTHON, "-m", "pytest", "tests/repository", "--quiet", "--no-header"]),
)


def run(name: str, command: list[str]) -> bool:
    """Run one step; its output is shown only when there is any."""
    start = time.monotonic()
    out = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    took = time.monotonic() - start
    sys.stderr.write(f"check: {name}: {'ok' if out.returncode == 0 else 'FAILED'} ({took:.1f} s)\n")
    if out.returncode:
        sys.stdout.write(out.stdout.decode("utf-8", "replace"))
        sys.stdout.flush()
    return out.returncode == 0


def main() -> int:
    """Non-zero when a step failed."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        passed = list(pool.map(lambda step: run(*step), STEPS))
    failed = [name for (name, _), ok in zip(STEPS, passed, strict=True) if not ok]
    if failed:
        sys.stderr.write(f"check: failed: {', '.join(failed)}\n")
        return 1
    sys.stderr.write("check: all is well\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
