"""Report of wrong settings: what is wrong, where, and what would be right, one line each."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_LIST_GONE: Final = (
    "status lists are gone; remove the line. APIs learn of revocations by the feed, which needs no setting"
)
REMOVED: Final = {"tokens.status_list": _LIST_GONE, "tokens.status_list_ttl": _LIST_GONE}
"""Settings of earlier versions, and what to do about each."""


class SettingsError(Exception):
    """One or more settings are wrong. `problems` holds a line for each; no line holds a secret."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def removed(name: str) -> str | None:
    """What to do about a setting of an earlier version; None if there was none of this name. `name` is dotted."""
    return f"the setting {name} was removed: {REMOVED[name]}." if name in REMOVED else None


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """The text ` Did you mean …?`, or nothing. Letter case and hyphens are ignored."""
    names = {name.lower().replace("-", "_"): name for name in known}
    near = get_close_matches(given.lower().replace("-", "_"), names, n=1, cutoff=0.55)
    return f" Did you mean {names[near[0]]}?" if near else ""
