"""Why a sign-in was asked for more, or stopped, in words for people."""

from __future__ import annotations

from msgspec import Struct


class Why(Struct, frozen=True):
    """One sentence in English, which the page translates, with the places that stand in it as %(here)s and %(before)s."""

    text: str
    here: str = ""
    before: str = ""
