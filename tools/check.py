"""Static checks, without running the product: format, lint, types, import contracts, repository tests.

Every step runs, even after a failed one, so that one run reports all faults. The types take longest, and use more than one core:
the other steps run beside them, one after the other, with a lower priority. Ruff and the import contracts keep results of files that have
not changed; the type checker keeps none, so its last success is kept here, and it runs when anything has changed that it reads.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
BIN = Path(PYTHON).parent

AT_ONCE = 2
TYPES = "types"
STAMP = ROOT / "build" / "check" / TYPES
"""What the type checker had read when it last found nothing."""
BESIDE = ["nice", "-n", "10"]
STEPS: tuple[tuple[str, list[str]], ...] = (
    (TYPES, [PYTHON, "-m", "basedpyright"]),
    ("format", [*BESIDE, PYTHON, "-m", "ruff", "format", "--check", "."]),
    ("lint", [*BESIDE, PYTHON, "-m", "ruff", "check", "."]),
    ("import contracts", [*BESIDE, PYTHON, str(BIN / "lint-imports"), "--config", "pyproject.toml"]),
    ("repository tests", [*BESIDE, PYTHON, "-m", "pytest", "tests/repository", "--quiet", "--no-header"]),
)


def read_by_types() -> str:
    """A hash of all that the type checker reads: the sources, its settings, and the pinned libraries and Python they are checked with."""
    settings = ROOT / "pyproject.toml"
    places = tomllib.loads(settings.read_text("utf-8"))["tool"]["basedpyright"]["include"]
    found = [settings, *(ROOT / "requirements").glob("*.txt")]
    found += [
        path for place in places for path in (ROOT / place).rglob("*.py*") if path.suffix in {".py", ".pyi"}
    ]
    whole = hashlib.sha256(sys.version.encode())
    for path in sorted(found):
        whole.update(
            path.relative_to(ROOT).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest()
        )
    return whole.hexdigest()


def types(name: str, command: list[str]) -> bool:
    """Check the types, unless all is as it was when they were last found well."""
    now = read_by_types()
    if STAMP.is_file() and STAMP.read_text("ascii") == now:
        sys.stderr.write(f"check: {name}: ok (nothing has changed since they were checked)\n")
        return True
    STAMP.unlink(missing_ok=True)
    if not run(name, command):
        return False
    STAMP.parent.mkdir(parents=True, exist_ok=True)
    STAMP.write_text(now, "ascii")
    return True


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
        passed = list(pool.map(lambda step: (types if step[0] == TYPES else run)(*step), STEPS))
    failed = [name for (name, _), ok in zip(STEPS, passed, strict=True) if not ok]
    if failed:
        sys.stderr.write(f"check: failed: {', '.join(failed)}\n")
        return 1
    sys.stderr.write("check: all is well\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
