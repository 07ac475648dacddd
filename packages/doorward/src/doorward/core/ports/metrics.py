"""Counting: how often what happened, for the metrics page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Meter(Protocol):
    """So that nobody else knows the metrics library."""

    def count(self, name: str, label: str = "") -> None:
        """One more of `name` (tokens_issued, refreshes, sign_ins, refusals, …), of the kind `label`."""
        ...

    def observe(self, endpoint: str, seconds: float) -> None:
        """A request to `endpoint` (a route, never a raw path) took that long."""
        ...

    def link(self, kind: str, up: Callable[[], bool]) -> Callable[[], None]:
        """Show a connection that this process can do without; `up` is asked whenever somebody looks, in whatever thread. Answers what is
        to be called each time that it was lost."""
        ...

    def clock_ahead(self, seconds: Callable[[], float]) -> None:
        """Show by how much this process's clock is ahead of the machine's; `seconds` is asked whenever somebody looks."""
        ...

    @property
    def content_type(self) -> str:
        """Of `page`."""
        ...

    def page(self) -> bytes:
        """The metrics page."""
        ...
