"""Lines of the activity page about second factors, whatever their kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ADDED: Final = "second_factor.added"
REMOVED: Final = "second_factor.removed"
RESET: Final = "second_factor.reset"
"""Audited events, whose detail `method` is the kind of the factor, or `methods` the kinds of all that an operator removed."""

ACTIVITY_KINDS: Final = (
    ActivityKind("second_factor.failed", N_("Somebody tried to sign in and failed")),
    ActivityKind(ADDED, N_("You added a second step"), reportable=True),
    ActivityKind(REMOVED, N_("You removed a second step"), reportable=True),
    ActivityKind(
        RESET, N_("The people who run this service removed a second step of yours"), reportable=True
    ),
    ActivityKind(
        "second_factor.required", N_("The people who run this service ask you for a second step from now on")
    ),
    ActivityKind(
        "second_factor.required",
        N_("The people who run this service no longer ask you for a second step"),
        applies=lambda detail: detail.get("required") == "no",
    ),
)


def of_method(*kinds: str | None) -> Callable[[Mapping[str, Any]], bool]:
    """Whether the event is about a factor of one of these kinds; None is an event that names none."""
    return lambda detail: detail.get("method") in kinds
