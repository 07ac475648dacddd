"""Lines of the activity page about phones."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.flow.activity import ADDED, REMOVED, of_method
from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ACTIVITY_KINDS: Final = (
    ActivityKind(ADDED, N_("You added a phone"), applies=of_method("sms"), reportable=True),
    ActivityKind(REMOVED, N_("You removed a phone"), applies=of_method("sms"), reportable=True),
)
