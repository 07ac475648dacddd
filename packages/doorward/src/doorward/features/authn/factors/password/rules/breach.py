"""Breached and common passwords: lookup keys and spellings (NIST SP 800-63B-4 §3.1.1.2, ASVS 6.2.8, 6.2.12: R78)."""

from __future__ import annotations

import hashlib


def key(password: str) -> str:
    """The key of a password in breach lists: its SHA-1 in upper-case hex. This is the format of public lists, not a way to store
    passwords."""
    return hashlib.sha1(password.encode("utf-8", "replace"), usedforsecurity=False).hexdigest().upper()


def spellings(password: str) -> tuple[str, ...]:
    """The spellings to look up: the password as typed, in lower case, and without the digits and signs that people add at its ends."""
    low = password.casefold()
    return tuple(dict.fromkeys((password, low, low.strip("0123456789!?.,;:-_*#@$ "))))


def common(password: str) -> bool:
    """Whether any spelling is among the 30,000 most used passwords that come with the estimator."""
    # Imported on first use: the lists take 15 MiB, which a server that never checks a new password need not hold.
    from zxcvbn.matching import RANKED_DICTIONARIES

    ranks = RANKED_DICTIONARIES["passwords"]
    return any(spelling in ranks for spelling in spellings(password))
