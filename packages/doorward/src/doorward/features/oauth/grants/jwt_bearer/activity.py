"""Lines of the activity page about assertions: an app acted for the person by word of a company's provider."""

from __future__ import annotations

from typing import Final

from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ACTIVITY_KINDS: Final = (
    ActivityKind(
        "assertion.accepted",
        N_("An app acted for you, with the permission of a service that you are connected with"),
        N_("%(app)s acted for you, with the permission of a service that you are connected with"),
        reportable=True,
    ),
)
