"""Kinds of something that a page says, with the sentences that say it."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Said(StrEnum):
    """`words` are the sentences of one kind in the language of the sources, to be translated where they are shown; none where the sentence
    needs more than its kind."""

    words: tuple[str, ...]

    def __new__(cls, value: str, *words: str) -> Self:
        """One kind. `value` is what is stored or sent."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.words = words
        return member
