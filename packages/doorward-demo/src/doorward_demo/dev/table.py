"""Table of addresses that `doorward dev` prints on standard output when it is ready."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from doorward_demo.dev.people import PEOPLE
from doorward_demo.dev.places import Places


def show_places(places: Places, folder: Path, *, seconds: float) -> None:
    """Print the addresses, the people, and the next steps."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text("✓ ", style="green") + Text(f"Doorward is up, after {seconds:.1f} s.\n"))
    rows = (
        ("Demo app", places.shop, "begin here: sign in, see orders"),
        ("Demo API", f"{places.api}/docs", "what the app calls"),
        ("Account", f"{places.issuer}/account", "a person's own pages"),
        ("Outbox", f"{places.issuer}/_dev/outbox", "messages, with their codes"),
        ("Issuer", places.issuer, "for apps of your own"),
    )
    console.print(_grid(rows, ("bold", "cyan", "dim")))
    console.print()
    people = [(person.email, person.password, person.can) for person in PEOPLE]
    console.print(_grid(people, ("bold", "", "dim")))
    console.print()
    command = _command()
    hint = f"Commands: {command} --help, with --config {_near(folder / 'doorward.toml')}\nLogs: {_near(folder / 'logs')}"
    console.print(
        Text(
            f"{hint}\nSign a command line in, by its code: {command}-demo login\nDrive it all: {command} demo\nStop: Ctrl+C",
            style="dim",
        )
    )


def _grid(rows: Sequence[tuple[str, str, str]], styles: tuple[str, str, str]) -> Table:
    grid = Table.grid(padding=(0, 3, 0, 0))
    for style in styles:
        grid.add_column(style=style, no_wrap=True)
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    return grid


def _near(path: Path) -> str:
    """The path as a person in this folder would type it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _command() -> str:
    """This command as a person types it: its name if PATH finds it, otherwise its path."""
    own = Path(sys.argv[0])
    if own.name == "__main__.py":
        # `python -m doorward`, as make runs it: the command is beside that Python
        own = Path(sys.executable).with_name("doorward")
    found = shutil.which(own.name)
    return own.name if found is not None and Path(found).resolve() == own.resolve() else _near(own)
