"""Lines of the activity page about recovery codes."""

from __future__ import annotations

from typing import Final

from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ACTIVITY_KINDS: Final = (
    ActivityKind("recovery_codes.made", N_("You made new recovery codes"), reportable=True),
    ActivityKind("recovery_codes.used", N_("A recovery code was used to sign in"), reportable=True),
)
