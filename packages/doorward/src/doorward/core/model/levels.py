"""Names of the assurance levels in `acr` (OpenID Connect Core §2, RFC 9470 §3).

AAL1 to AAL3 follow NIST SP 800-63B-4 §2; `phr` and `phrh` are the values of OpenID Connect Extended Authentication Profile ACR Values
1.0 §4, given here only for two factors.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

AAL1: Final = "urn:doorward:aal1"
"""One factor was verified."""

AAL2: Final = "urn:doorward:aal2"
"""Two different factors were verified."""

PHR: Final = "phr"
"""AAL2, and one of the factors is phishing resistant."""

PHRH: Final = "phrh"
"""`phr` by a key that hardware protects, as a verified attestation says."""

AAL3: Final = "urn:doorward:aal3"
"""`phrh`, and the key verified its user."""

LEVELS: Final = (AAL1, AAL2, PHR, PHRH, AAL3)
"""Weakest first: each one includes those before it."""


def at_least(have: str | None, wanted: str) -> bool:
    """Whether `have` is `wanted` or stronger. An unknown level is never reached."""
    if have not in LEVELS or wanted not in LEVELS:
        return False
    return LEVELS.index(have) >= LEVELS.index(wanted)


def wanted(asked: Sequence[str]) -> str | None:
    """The first known level of `asked` (`acr_values` is in order of preference); None if there is none."""
    return next((value for value in asked if value in LEVELS), None)


def named(acr: str, levels: Collection[str], asked: Sequence[str], *, essential: bool) -> str:
    """The `acr` of a token: the first asked level that was reached, otherwise `acr`. A verifier compares the text, so a sign-in that
    reached more must still be called by the name that the app or its API knows.

    A level below `acr` is named only if the app calls it essential, because then one of its values must be returned (OpenID Connect
    Core §5.5.1.1); as a wish it would only weaken the app's own token.
    """
    first = next((value for value in asked if value in levels), acr)
    return first if essential or at_least(first, acr) else acr
