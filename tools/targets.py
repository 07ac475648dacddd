"""Targets of a Makefile, printed with their texts after `##`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

_TARGET = re.compile(r"^([a-z][a-z-]*):.*?## (.+)$", re.MULTILINE)


def targets(makefile: str) -> list[tuple[str, str]]:
    """Each documented target with its text."""
    return _TARGET.findall(makefile)


def main(arguments: list[str]) -> int:
    """`targets.py MAKEFILE`."""
    rows = targets(Path(arguments[0]).read_text("utf-8"))
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        sys.stdout.write(f"  make {name:<{width}}  {text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
