"""Lines of the activity page about answers to notices."""

from __future__ import annotations

from typing import Final

from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ACTIVITY_KINDS: Final = (
    ActivityKind(
        "notice.not_me", N_("You told us by a message of ours that it wasn't you, so we ended all access")
    ),
    ActivityKind(
        "notice.was_me", N_("Somebody told us by a message of ours that it was you"), reportable=True
    ),
)
