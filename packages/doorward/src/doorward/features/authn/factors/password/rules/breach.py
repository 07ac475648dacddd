"""Has this password been seen in a breach, or is it on everybody's lips? (NIST SP 800-63B-4 §3.1.1.2, ASVS 6.2.8, 6.2.12: line 78)"""

from __future__ import annotations

import hashlib


def key(password: str) -> str:
    """How breach lists name a password: its SHA-1 in upper-case hex. A public list's format, not a way to store anything."""
    return hashlib.sha1(password.encode("utf-8", "replace"), usedforsecurity=False).hexdigest().upper()


def spellings(password: str) -> tuple[str, ...]:
    """What is looked up: the password, and it without regard to case and to what people put at its ends."""
    low = password.casefold()
    return tuple(dict.fromkeys((password, low, low.strip("0123456789!?.,;:-_*#@$ "))))


def common(password: str) -> bool:
    """Whether it is among the 30,000 most used ones that come with the estimator, in any of its spellings."""
    # Imported at the first use: the lists take 15 MiB that a server which never sees a new password need not hold.
    from zxcvbn.matching import RANKED_DICTIONARIES

    ranks = RANKED_DICTIONARIES["passwords"]
    return any(spelling in ranks for spelling in spellings(password))
