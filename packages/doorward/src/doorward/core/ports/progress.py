"""Progress reports of a long operation."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives progress; an implementation may ignore it."""

    def begin(self, what: str, rows: int) -> None:
        """A stage begins (`copy`, `compare`, …), with this number of rows."""
        ...

    def step(self, table: str, rows: int) -> None:
        """This many more rows of the table are done."""
        ...
