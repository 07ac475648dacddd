"""Why can development not start? What is wrong, and what to do about it."""

from __future__ import annotations


class CannotStart(Exception):
    """Nothing was left running. Neither text ever holds a secret."""

    def __init__(self, error: str, fix: str = "") -> None:
        self.error = error
        self.fix = fix
        super().__init__(f"{error} {fix}".strip())
