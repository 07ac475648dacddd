"""Lines of the activity page about API keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_


def _by_operator(detail: Mapping[str, Any]) -> bool:
    return detail.get("by") == "operator"


ACTIVITY_KINDS: Final = (
    ActivityKind("api_key.created", N_("You created an API key"), reportable=True),
    ActivityKind("api_key.rotated", N_("You renewed an API key"), reportable=True),
    ActivityKind("api_key.ended", N_("You ended an API key")),
    ActivityKind(
        "api_key.ended",
        N_("The people who run this service ended an API key of yours"),
        applies=_by_operator,
    ),
    ActivityKind(
        "api_key.used_elsewhere",
        N_("An API key of yours was used from a place that you didn't allow, and was refused"),
        reportable=True,
    ),
)
