"""Metrics of a process that nobody asks for them: a command counts nothing, and loads no metrics library."""

from __future__ import annotations

from collections.abc import Callable
from typing import final


@final
class NoMetrics:
    """`ports.metrics.Meter`."""

    content_type = "text/plain"

    def count(self, name: str, label: str = "") -> None:
        """Not counted."""

    def observe(self, endpoint: str, seconds: float) -> None:
        """Not counted."""

    def link(self, kind: str, up: Callable[[], bool]) -> Callable[[], None]:
        """Not shown."""
        del kind, up
        return _nothing

    def clock_ahead(self, seconds: Callable[[], float]) -> None:
        """Not shown."""

    def page(self) -> bytes:
        """Nothing was counted."""
        return b""


def _nothing() -> None:
    """Nobody looks."""
