"""User codes: their alphabet, how they are shown, and what counts as the same code (RFC 8628 §6.1, R34)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Letters without vowels, so that no words come about, and without those that are mistaken for digits."""

LENGTH: Final = 8
"""20^8 codes, 34.5 bits. An account has ten guesses in a quarter of an hour and a hundred a day (`features/rate_limits`), so that with
a thousand codes alive at a time it hits one in some 700 years."""

MOST_TYPED: Final = 64
"""Characters that are looked at."""


def draw(below: Callable[[int], int]) -> str:
    """A new code, without the hyphen. `below(n)` gives a uniform random number from 0 to n - 1."""
    return "".join(ALPHABET[below(len(ALPHABET))] for _ in range(LENGTH))


def shown(code: str) -> str:
    """The code as people read and type it: `WDJB-MJHT`."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def read(typed: str) -> str | None:
    """The code that was typed, in any case, with or without hyphens and spaces; None if it has not the form of one."""
    plain = unicodedata.normalize("NFKC", typed[:MOST_TYPED]).upper()
    letters = "".join(sign for sign in plain if unicodedata.category(sign)[0] not in "ZPC")
    if len(typed) > MOST_TYPED or len(letters) != LENGTH or not set(letters) <= set(ALPHABET):
        return None
    return letters
