"""Lines of the activity page about accounts at providers."""

from __future__ import annotations

from typing import Final

from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ACTIVITY_KINDS: Final = (
    ActivityKind("provider.connected", N_("You connected an account of another service")),
    ActivityKind("provider.disconnected", N_("You disconnected an account of another service")),
)
