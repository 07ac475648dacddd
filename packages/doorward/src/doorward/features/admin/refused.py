"""How does a management action say no? With what is wrong and how to mend it, both for a person."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ManageRefused(Exception):
    """Nothing was changed. Neither text ever holds a secret."""

    def __init__(self, error: str, fix: str = "") -> None:
        self.error = error
        self.fix = fix
        super().__init__(f"{error} {fix}".strip())


def not_found(kind: str, given: str, known: Iterable[str], listing: str) -> ManageRefused:
    """Nothing has this name: say what is nearest, or where to look."""
    names = {name.casefold(): name for name in known}
    near = get_close_matches(given.casefold(), names, n=1, cutoff=0.5)
    hint = f" Did you mean {names[near[0]]}?" if near else ""
    return ManageRefused(f"There is no {kind} {given}.{hint}", f"See what is there: {listing}")
