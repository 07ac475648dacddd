"""Metrics of a command: counts nothing, and loads no metrics library."""

from __future__ import annotations

from collections.abc import Callable
from typing import final


@final
class NoMetrics:
    """`Metrics` that counts nothing."""

    content_type = "text/plain"

    def inc(self, name: str, label: str = "") -> None:
        """Does nothing."""

    def observe(self, endpoint: str, seconds: float) -> None:
        """Does nothing."""

    def link(self, kind: str, up: Callable[[], bool]) -> Callable[[], None]:
        """Does nothing."""
        del kind, up
        return _nothing

    def clock_ahead(self, seconds: Callable[[], float]) -> None:
        """Does nothing."""

    def page(self) -> bytes:
        """An empty page."""
        return b""


def _nothing() -> None:
    """Does nothing."""
