"""Delivery of a command's output in any encoding; a full disk or a closed pipe is reported."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TextIO, cast

_PLAIN: Final = {
    "✓": "ok",
    "✗": "!!",
    "…": "...",
    "“": '"',
    "”": '"',
    "’": "'",
    "—": "-",
    "–": "-",
    "→": "->",
    "×": "x",
}
_HANDLER: Final = "doorward.plain"


class OutputLost(Exception):
    """Standard output accepts nothing any more. `reason` is the system's message; `closed`: its reader has exited."""

    def __init__(self, problem: OSError) -> None:
        self.closed = problem.errno == errno.EPIPE
        self.reason = problem.strerror or type(problem).__name__
        super().__init__(self.reason)


def prepare() -> None:
    """Prepare the streams, before anything is printed.

    A character that the stream's encoding lacks is replaced by other text, so printing never fails. In a program started with a
    closed stream, the next opened file, perhaps the database, would get that stream's descriptor: so the descriptors are occupied
    first.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for as long as the program runs
            continue
        change: Any = getattr(stream, "reconfigure", None)
        if change is not None and codecs.lookup(stream.encoding or "ascii").name != "utf-8":
            change(errors=_HANDLER)


def finish() -> None:
    """Flush what is buffered. Raises `OutputLost`."""
    try:
        sys.stdout.flush()
    except OSError as problem:
        raise OutputLost(problem) from None


def give_up(stream: TextIO) -> None:
    """Discard all further output, so that the flush at the program's end does not fail again."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def settle_errors() -> None:
    """Discard standard error if it fails too: Python would otherwise exit with its own status (120)."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        give_up(sys.stderr)


def _plain(problem: UnicodeError) -> tuple[str, int]:
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    missing = problem.object[problem.start : problem.end]
    words = [_PLAIN.get(char) or char.encode("ascii", "backslashreplace").decode("ascii") for char in missing]
    return "".join(words), problem.end


codecs.register_error(_HANDLER, cast("Any", _plain))
