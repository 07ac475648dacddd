"""Lines of the activity page about verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from doorward.features.risk.rules.history import ASSESSED
from doorward.features.risk.views import explained
from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_


def _said(verdict: str) -> Callable[[Mapping[str, Any]], bool]:
    def applies(detail: Mapping[str, Any]) -> bool:
        return detail.get("verdict") == verdict

    return applies


ACTIVITY_KINDS: Final = (
    ActivityKind(
        ASSESSED,
        # nobody may have been asked: there are people with nothing to show
        N_("A sign-in looked unusual"),
        reportable=True,
        explained=explained,
    ),
    ActivityKind(
        ASSESSED,
        N_("A sign-in looked dangerous, so we stopped it"),
        applies=_said("refuse"),
        reportable=True,
        explained=explained,
    ),
    ActivityKind(
        ASSESSED,
        N_("A sign-in looked dangerous, so we stopped it and ended all access to your account"),
        applies=_said("end"),
        reportable=True,
        explained=explained,
    ),
)
