"""Line numbers of the keys in a TOML file, for error messages; the standard library's parser does not report them."""

from __future__ import annotations

import re

_TABLE = re.compile(r"^\s*\[\s*([A-Za-z0-9_.\"'\s-]+?)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\"'-]+(?:\s*\.\s*[A-Za-z0-9_\"'-]+)*)\s*=")


def lines_of(text: str) -> dict[str, int]:
    """Dotted key (and table) name -> its line, counted from 1. Best effort: text inside multi-line strings may look like keys,
    which can only misplace a message."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if match := _TABLE.match(line):
            table = _plain(match[1])
            found.setdefault(table, number)
        elif match := _KEY.match(line):
            key = _plain(match[1])
            found.setdefault(f"{table}.{key}" if table else key, number)
    return found


def _plain(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
