"""Rule for the kinds of notices that the settings leave out."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


def problem(without: Collection[str], *, ordinary: Collection[str], urgent: Collection[str]) -> str | None:
    """What is wrong with `notices.without`, for the operator; None if nothing is. Only `ordinary` kinds may be left out: an urgent one may be
    the only sign of a theft."""
    for kind in without:
        if kind in urgent:
            return f"notices.without has {kind}. That kind is urgent, and is always sent. Remove it from the list."
        if kind not in ordinary:
            possible = get_close_matches(kind, sorted(ordinary), 1) or sorted(ordinary)
            hint = (
                f"Did you mean {possible[0]}?" if len(possible) == 1 else f"Possible: {', '.join(possible)}."
            )
            return f"notices.without has {kind}, which is no kind of notice. {hint}"
    return None
