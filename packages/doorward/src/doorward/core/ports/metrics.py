"""Metrics interface: counts of events for the metrics page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Metrics(Protocol):
    """Hides the metrics library from the rest of the code."""

    def inc(self, name: str, label: str = "") -> None:
        """Increment `name` (tokens_issued, refreshes, sign_ins, refusals, …), with the label `label`."""
        ...

    def observe(self, endpoint: str, seconds: float) -> None:
        """Record the duration of a request to `endpoint` (a route, never a raw path)."""
        ...

    def link(self, kind: str, up: Callable[[], bool]) -> Callable[[], None]:
        """Show the state of an optional connection; `up` is called at each scrape, in any thread. Returns the function
        to call each time that the connection was lost."""
        ...

    def clock_ahead(self, seconds: Callable[[], float]) -> None:
        """Show by how much this process's clock is ahead of the machine's; `seconds` is called at each scrape."""
        ...

    @property
    def content_type(self) -> str:
        """The content type of `page`."""
        ...

    def page(self) -> bytes:
        """The metrics page."""
        ...
