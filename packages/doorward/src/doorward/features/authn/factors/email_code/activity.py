"""Lines of the activity page about codes by mail."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.flow.activity import ADDED, REMOVED, of_method
from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ACTIVITY_KINDS: Final = (
    ActivityKind(ADDED, N_("You set up codes by email"), applies=of_method("email_code"), reportable=True),
    ActivityKind(REMOVED, N_("You removed codes by email"), applies=of_method("email_code"), reportable=True),
)
