"""What a command prints reaches whoever reads it, or the command says that it did not: any encoding, a full disk, a closed pipe."""

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
    """Standard output took nothing any more. `reason` is the system's own word; `closed`: its reader has gone."""

    def __init__(self, problem: OSError) -> None:
        self.closed = problem.errno == errno.EPIPE
        self.reason = problem.strerror or type(problem).__name__
        super().__init__(self.reason)


def prepare() -> None:
    """Before anything is printed.

    A stream whose encoding lacks a character gets it in other words and never fails. A program that was started with a stream closed
    would be given its number for the next file, the database perhaps: the numbers are taken first.
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
    """Hand over what is still held back. Raises `OutputLost`."""
    try:
        sys.stdout.flush()
    except OSError as problem:
        raise OutputLost(problem) from None


def give_up(stream: TextIO) -> None:
    """Whatever is printed from now on goes nowhere, so that the end of the program does not stumble over it once more."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def settle_errors() -> None:
    """Where standard error takes nothing either, there is nobody to tell: Python would end with a status of its own (120)."""
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
