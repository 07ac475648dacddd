"""Lines of the activity page about token exchange: an app acted in the person's name somewhere."""

from __future__ import annotations

from typing import Final

from doorward.features.slots import ActivityKind
from doorward.web.pages.words import N_

ACTIVITY_KINDS: Final = (
    ActivityKind(
        "token.exchanged",
        N_("An app acted for you, through another app that you use"),
        N_("%(app)s acted for you, through another app that you use"),
        reportable=True,
    ),
    ActivityKind(
        "token.id_jag_issued",
        N_("An app was given access in your name at another service"),
        N_("%(app)s was given access in your name at another service"),
        reportable=True,
    ),
)
