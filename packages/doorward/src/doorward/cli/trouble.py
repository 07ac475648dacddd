"""What a command answers that cannot do what it was asked for, or was not asked for anything that can be done."""

from __future__ import annotations

from doorward.core.errors import OperatorError


class Trouble(OperatorError):
    """`code` is the exit status."""

    def __init__(self, error: str, fix: str = "", *, code: int = 1) -> None:
        super().__init__(error, fix)
        self.code = code
