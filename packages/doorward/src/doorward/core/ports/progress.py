"""Who is told how far a long piece of work is?"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A person who waits, or nobody."""

    def begin(self, what: str, rows: int) -> None:
        """A stage begins: `copy`, `compare`, …; of so many rows."""
        ...

    def step(self, table: str, rows: int) -> None:
        """So many more rows, of this table, are done."""
        ...
