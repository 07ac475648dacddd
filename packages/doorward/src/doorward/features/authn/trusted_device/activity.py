"""Lines of the activity page about devices on which the second step is not asked for."""

from __future__ import annotations

from typing import Final

from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ACTIVITY_KINDS: Final = (
    ActivityKind(
        "trusted_device.added",
        N_("You asked us not to ask for the second step on a device"),
        reportable=True,
    ),
    ActivityKind("trusted_device.ended", N_("You asked us to ask for the second step on a device again")),
    ActivityKind(
        "trusted_device.ended",
        N_("The people who run this service had us ask for the second step on your devices again"),
        applies=lambda detail: detail.get("by") == "operator",
    ),
    ActivityKind(
        "trusted_device.replayed",
        N_("An old copy of a device's data was used, so we ask for the second step there again"),
        reportable=True,
    ),
)
