"""Lines of the activity page about the authenticator app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from doorward.core.model.policy import BACKUP_KIND
from doorward.features.authn.factors.totp.rules import TRAITS
from doorward.features.authn.flow.activity import ADDED, REMOVED, RESET, of_method
from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_


def _reset(detail: Mapping[str, Any]) -> bool:
    """Whether nothing else was removed but the codes that came with it. An event without kinds is older than the others."""
    methods = detail.get("methods") or (TRAITS.kind,)
    return TRAITS.kind in methods and {TRAITS.kind, BACKUP_KIND}.issuperset(methods)


ACTIVITY_KINDS: Final = (
    ActivityKind(
        ADDED, N_("You added an authenticator app"), applies=of_method(TRAITS.kind, None), reportable=True
    ),
    ActivityKind(
        REMOVED,
        N_("You removed your authenticator app"),
        applies=of_method(TRAITS.kind, None),
        reportable=True,
    ),
    ActivityKind(
        RESET,
        N_("The people who run this service removed your authenticator app"),
        applies=_reset,
        reportable=True,
    ),
)
