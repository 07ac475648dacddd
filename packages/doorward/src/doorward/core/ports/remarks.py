"""Remarks for the operator that are worth one line in the log, and not a line with each request."""

from __future__ import annotations

from typing import Protocol


class Remarks(Protocol):
    """Where they go."""

    def once(self, event: str, client_id: str, about: str, **said: str | None) -> None:
        """Log `event` with the fields `said`, if this process has not said it `about` the same of this app before.

        `about` may come from outside: how many lines there can be for one app is bounded.
        """
        ...
