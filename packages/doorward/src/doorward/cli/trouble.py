"""What does a person see when a command cannot do it? What is wrong, and what to do about it."""

from __future__ import annotations


class Trouble(Exception):
    """`code` is the exit status. Neither text ever holds a secret."""

    def __init__(self, error: str, fix: str = "", *, code: int = 1) -> None:
        self.error = error
        self.fix = fix
        self.code = code
        super().__init__(f"{error} {fix}".strip())
