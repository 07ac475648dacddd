"""Output of commands: for people on a terminal, or as one JSON document with `--json`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from doorward.cli.outputs import OutputLost
from doorward.core.errors import OperatorError

Human = Callable[[Console], None]
Rows = Sequence[tuple[str, str]]
"""The lines of a card: name and value of each field."""


def result(document: object, human: Human, *, as_json: bool) -> None:
    """Print the result on standard output: `document` as JSON, else what `human` prints."""
    try:
        if as_json:
            sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
            sys.stdout.buffer.flush()
        else:
            human(Console(highlight=False, soft_wrap=True))
            sys.stdout.flush()
    except OSError as problem:
        raise OutputLost(problem) from None


def trouble(problem: OperatorError, *, as_json: bool) -> None:
    """Print an error: as JSON on standard output, so that one reader gets results and errors; else as text on standard error, if
    that is open."""
    with suppress(OSError):
        if as_json:
            document = {"error": problem.error, "fix": problem.fix}
            sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
            sys.stdout.buffer.flush()
            return
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(Text("✗ ", style="red") + Text(problem.error))
        if problem.fix:
            console.print(Text("  Fix: ", style="bold") + Text(problem.fix))


def card(console: Console, title: str, rows: Rows) -> None:
    """One object: its name, then a line for each field."""
    console.print(Text(title, style="bold"))
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        first, *rest = value.split("\n") if value else ["—"]
        console.print(Text(f"  {name:<{width}}  ", style="dim") + Text(first))
        for line in rest:
            console.print(Text(" " * (width + 4)) + Text(line))


def table(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Many objects, one per line; `empty` says what to do when there is none."""
    if not rows:
        console.print(Text(empty, style="dim"))
        return
    if not console.is_terminal:
        # a pipe gets every value in full, separated by tabs
        for row in [columns, *rows]:
            console.file.write("\t".join(row) + "\n")
        return
    shown = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    console.print(shown)


def done(console: Console, text: str) -> None:
    """One sentence of success."""
    console.print(Text("✓ ", style="green") + Text(text))


def note(text: str) -> None:
    """Additional information on standard error, so that the result can be piped on."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(f"  {text}"))
