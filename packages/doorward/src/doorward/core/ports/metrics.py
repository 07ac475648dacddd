"""Counting: how often what happened, for the metrics page."""

from __future__ import annotations

from typing import Protocol


class Meter(Protocol):
    """So that nobody else knows the metrics library."""

    def count(self, name: str, label: str = "") -> None:
        """One more of `name` (tokens_issued, refreshes, sign_ins, refusals, …), of the kind `label`."""
        ...

    def observe(self, endpoint: str, seconds: float) -> None:
        """A request to `endpoint` (a route, never a raw path) took that long."""
        ...
