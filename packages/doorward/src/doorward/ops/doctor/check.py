"""One line of `doorward doctor`: the name of a check, and what it found."""

from __future__ import annotations

from typing import Self

from msgspec import Struct


class Finding(Struct, frozen=True):
    """What a check found. With `ok` and a `fix` it is a warning."""

    ok: bool
    said: str
    fix: str = ""


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


def passed(said: str, fix: str = "") -> Finding:
    """Nothing is wrong; with `fix` something could be better."""
    return Finding(True, said, fix)


def failed(said: str, fix: str = "") -> Finding:
    """Something is wrong."""
    return Finding(False, said, fix)
