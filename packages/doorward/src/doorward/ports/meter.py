"""Counting: how often what happened, for the metrics page."""

from __future__ import annotations

from typing import Protocol


class Meter(Protocol):
    """One method, so that actions never know the metrics library."""

    def count(self, name: str, label: str = "") -> None:
        """One more of `name` (tokens_issued, refreshes, sign_ins, refusals, …), of the kind `label`."""
        ...
