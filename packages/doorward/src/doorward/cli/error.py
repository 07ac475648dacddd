"""Error of a command that was refused or used wrongly."""

from __future__ import annotations

from doorward.core.errors import OperatorError


class CliError(OperatorError):
    """`code` is the exit status."""

    def __init__(self, error: str, fix: str = "", *, code: int = 1) -> None:
        super().__init__(error, fix)
        self.code = code
