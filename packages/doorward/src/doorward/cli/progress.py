"""How does a person see how far a long command is? A bar on the terminal, with its pace and what remains; nothing where nobody looks."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self, final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text


class Pace(TextColumn):
    """Rows a second."""

    def render(self, task: object) -> Text:
        """The pace so far."""
        speed: float | None = getattr(task, "speed", None)
        return Text("" if speed is None else f"{speed:,.0f} rows/s", style="dim")


@final
class Bar:
    """`ports.progress.Progress` on standard error. Silent when that is no terminal, or `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._shown = sys.stderr.isatty() and not quiet
        self._task: TaskID | None = None
        self._progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            Pace(""),
            TextColumn("{task.fields[table]:<20}", style="dim"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not self._shown,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, what: str, rows: int) -> None:
        """A new bar."""
        self._task = self._progress.add_task(what, total=rows, table="")

    def step(self, table: str, rows: int) -> None:
        """The bar grows."""
        if self._task is not None:
            self._progress.update(self._task, advance=rows, table=table)
