"""Names of the assurance levels in `acr` (OpenID Connect Core §2, RFC 9470 §3)."""

from __future__ import annotations

from typing import Final

AAL1: Final = "urn:doorward:aal1"
"""One factor was verified."""

AAL2: Final = "urn:doorward:aal2"
"""Two different factors were verified."""

LEVELS: Final = (AAL1, AAL2)
"""Weakest first."""


def at_least(have: str | None, wanted: str) -> bool:
    """Whether `have` is `wanted` or stronger. An unknown level is never reached."""
    if have not in LEVELS or wanted not in LEVELS:
        return False
    return LEVELS.index(have) >= LEVELS.index(wanted)
