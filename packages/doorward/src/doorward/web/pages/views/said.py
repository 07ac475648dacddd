"""Base class of kinds that a page shows, with their sentences."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Said(StrEnum):
    """`words` are the sentences of one kind in English, translated where they are shown; none if the sentence depends on more than the
    kind."""

    words: tuple[str, ...]

    def __new__(cls, value: str, *words: str) -> Self:
        """One kind. `value` is the stored or sent value."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.words = words
        return member
