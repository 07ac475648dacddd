"""Lines of the activity page about devices that people let in."""

from __future__ import annotations

from typing import Final

from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ACTIVITY_KINDS: Final = (
    ActivityKind(
        "device_code.approved",
        N_("You let a device sign in"),
        N_("You let a device sign in to %(app)s"),
        reportable=True,
    ),
    ActivityKind(
        "device_code.denied",
        N_("You refused a device that asked to sign in"),
        N_("You refused a device that asked to sign in to %(app)s"),
    ),
    ActivityKind(
        "device_code.reused",
        N_("A device's sign-in was used twice, so we ended it"),
        N_("A device's sign-in to %(app)s was used twice, so we ended it"),
        reportable=True,
    ),
)
