"""Strength estimate of a password: the number of guesses, with bounded running time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, cast

MAX_INPUT: Final = 72
"""The estimator refuses longer text. It gets a part of a longer password; the password itself is never cut (R78)."""

MAX_SUBSTITUTIONS: Final = 8
"""The estimator tries every reading of symbols as in "p4$$w0rd"; a text crafted for it has hundreds, which take seconds. With more
readings than this, each symbol is first replaced by its most usual letter."""

_READINGS: Final = {
    "a": "4@",
    "b": "8",
    "c": "({[<",
    "e": "3",
    "g": "69",
    "i": "1!|",
    "l": "1|7",
    "o": "0",
    "s": "$5",
    "t": "+7",
    "x": "%",
    "z": "2",
}
_USUAL: Final = str.maketrans(
    {symbol: letter for letter, symbols in reversed(_READINGS.items()) for symbol in symbols}
)


def guesses_log10(password: str, words: Iterable[str] = ()) -> float:
    """The decimal logarithm of the guesses that an informed attacker needs; `words` are what the attacker knows about the person.

    For a password longer than the estimator accepts, the stronger of its two ends counts, so that a weak beginning does not matter.
    """
    if not password:
        return 0.0
    known = [word.casefold()[:MAX_INPUT] for word in words if word]
    parts = {password[:MAX_INPUT], password[-MAX_INPUT:]}
    return max(_estimate(part, known) for part in parts)


def _estimate(part: str, known: list[str]) -> float:
    from zxcvbn import zxcvbn

    if _readings(part) > MAX_SUBSTITUTIONS:
        part = part.translate(_USUAL)
    # The package has no types; only one number is read.
    result = cast("dict[str, Any]", zxcvbn(part, user_inputs=known, max_length=MAX_INPUT))
    return math.log10(max(1, int(result["guesses"])))


def _readings(part: str) -> int:
    present = set(part)
    readings = 1
    for symbols in _READINGS.values():
        readings *= max(1, len(present.intersection(symbols)))
    return readings
