"""Breached and common passwords: lookup keys and spellings (NIST SP 800-63B-4 §3.1.1.2, ASVS 6.2.8, 6.2.12: R78)."""

from __future__ import annotations

import hashlib
from typing import Final

LISTED: Final = 16
"""Characters. Hardly any listed password that repeats itself is longer."""


def key(password: str) -> str:
    """The key of a password in breach lists: its SHA-1 in upper-case hex. This is the format of public lists, not a way to store
    passwords."""
    return hashlib.sha1(password.encode("utf-8", "replace"), usedforsecurity=False).hexdigest().upper()


def spellings(password: str) -> tuple[str, ...]:
    """The spellings to look up: the password as typed, in lower case, without the digits and signs that people add at its ends, and once
    where it says the same again and again to reach a length ("passwordpassword", "123456123456123")."""
    low = password.casefold()
    bare = low.strip("0123456789!?.,;:-_*#@$ ")
    return tuple(dict.fromkeys((password, low, bare, *_once(low), *_once(bare))))


def _once(text: str) -> tuple[str, ...]:
    """What a text repeats, at least twice in full; the last time may be cut. Nothing for other texts. Of "1111…" also "11", "111", and so
    on: lists have the longer ones.

    By the failure function of Knuth, Morris and Pratt, so that the time does not grow with the square of the length.
    """
    fails, k = [0] * len(text), 0
    for at in range(1, len(text)):
        while k and text[at] != text[k]:
            k = fails[k - 1]
        k += text[at] == text[k]
        fails[at] = k
    period = len(text) - fails[-1] if text else 0
    if not 0 < 2 * period <= len(text):
        return ()
    longest = max(period, min(LISTED, len(text) - 1))
    return tuple(text[:size] for size in range(period, longest + 1, period))


def common(password: str) -> bool:
    """Whether any spelling is among the 30,000 most used passwords that come with the estimator."""
    # Imported on first use: the lists take 15 MiB, which a server that never checks a new password need not hold.
    from zxcvbn.matching import RANKED_DICTIONARIES

    ranks = RANKED_DICTIONARIES["passwords"]
    return any(spelling in ranks for spelling in spellings(password))
