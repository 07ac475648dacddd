"""Lines of the activity page about passkeys."""

from __future__ import annotations

from typing import Final

from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ACTIVITY_KINDS: Final = (
    ActivityKind("passkey.added", N_("You added a passkey"), reportable=True),
    ActivityKind("passkey.removed", N_("You removed a passkey"), reportable=True),
    ActivityKind("passkey.renamed", N_("You renamed a passkey"), reportable=True),
    ActivityKind(
        "passkey.changed",
        N_("You changed whether a passkey is asked for after your password"),
        reportable=True,
    ),
    ActivityKind(
        "passkey.copied",
        N_("Somebody used what looks like a copy of your passkey, so we signed you out everywhere"),
    ),
)
