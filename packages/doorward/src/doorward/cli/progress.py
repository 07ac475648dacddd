"""Progress bar of a long command: its rate and the remaining time, on a terminal only."""

from __future__ import annotations

import sys
from typing import final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text


class Pace(TextColumn):
    """Rows per second."""

    def render(self, task: object) -> Text:
        """The rate so far."""
        speed: float | None = getattr(task, "speed", None)
        return Text("" if speed is None else f"{speed:,.0f} rows/s", style="dim")


@final
class Bar(Progress):
    """`ports.progress.Progress` on standard error. Prints nothing when that is no terminal, or with `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            Pace(""),
            TextColumn("{task.fields[table]:<20}", style="dim"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=quiet or not sys.stderr.isatty(),
            transient=True,
        )

    def begin(self, what: str, rows: int) -> None:
        """Start a new bar."""
        self.add_task(what, total=rows, table="")

    def step(self, table: str, rows: int) -> None:
        """Advance the newest bar."""
        if self.task_ids:
            self.update(self.task_ids[-1], advance=rows, table=table)
