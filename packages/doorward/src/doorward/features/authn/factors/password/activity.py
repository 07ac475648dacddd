"""Lines of the activity page about the password."""

from __future__ import annotations

from typing import Final

from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ACTIVITY_KINDS: Final = (
    ActivityKind("password.changed", N_("You changed your password"), reportable=True),
    ActivityKind(
        "password.changed",
        N_("The people who run this service set a new password for you"),
        applies=lambda detail: detail.get("by") == "operator",
        reportable=True,
    ),
)
