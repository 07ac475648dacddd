"""Filter for log lines that reach the terminal: errors, and lines that are no log lines, such as tracebacks
and warnings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

_QUIET: Final = frozenset({"debug", "info", "warning"})
_QUIET_WORDS: Final = ("DEBUG ", "INFO ", "WARNING ")
_MOST: Final = 64 * 1024


class Complaints:
    """Reads a growing log file, each line once."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read = 0

    def new(self) -> list[str]:
        """The complaints since the last call. An unfinished line is left for the next call."""
        with self._log.open("rb") as file:
            file.seek(self._read)
            text = file.read(_MOST)
        whole, newline, _ = text.rpartition(b"\n")
        if not newline and len(text) < _MOST:
            return []
        taken = whole if newline else text
        self._read += len(taken) + len(newline)
        lines = taken.decode("utf-8", errors="replace").splitlines()
        return [said for line in lines if (said := complaint(line)) is not None]


def complaint(line: str) -> str | None:
    """The text to show for one line, or None. The server logs JSON, the demo's programs `LEVEL name: text`."""
    if line.startswith("{"):
        try:
            entry: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError:
            return line
        if entry.get("level") in _QUIET:
            return None
        kept = {k: v for k, v in entry.items() if k not in {"level", "event", "timestamp", "at", "logger"}}
        facts = " ".join(f"{name}={value}" for name, value in kept.items())
        return f"{entry.get('event', '')} {facts}".strip()
    if not line.strip() or line.startswith(_QUIET_WORDS):
        return None
    return line
