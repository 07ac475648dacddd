"""One line of `doorward doctor`: the name of a check, and what it found."""

from __future__ import annotations

from typing import Self

from msgspec import Struct

from doorward.core.model.finding import Finding


class Check(Struct, frozen=True):
    """A finding, and what was looked at."""

    name: str
    ok: bool
    said: str
    fix: str = ""

    @classmethod
    def of(cls, name: str, found: Finding) -> Self:
        """The line of this check."""
        return cls(name, found.ok, found.said, found.fix)
