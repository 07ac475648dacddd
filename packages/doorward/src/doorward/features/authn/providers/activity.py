"""Lines of the activity page about accounts at providers."""

from __future__ import annotations

from typing import Final

from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ACTIVITY_KINDS: Final = (
    ActivityKind("provider.connected", N_("You connected an account of another service")),
    ActivityKind(
        "provider.access_ended",
        N_(
            "Apps lost the access that they had from a sign-in with another service, where you were signed out"
        ),
    ),
    ActivityKind("provider.disconnected", N_("You disconnected an account of another service")),
)
