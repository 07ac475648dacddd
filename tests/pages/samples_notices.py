"""Sample data for the pages of "This wasn't me"."""

from __future__ import annotations

from doorward.features.notices.views import NoticeClosed, NotMeAsk, NotMeDone, ReviewView
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.context import View
from doorward.web.pages.views.problems import FormProblem, Wrong

AT = 1_795_358_000
FLOW = "dw_as_3q2-7wX1"
ACTION = "/not-me?token=dw_nm_abc"


def samples(text: str) -> dict[str, View]:
    """Each page. `text` stands where a person's or an app's text does."""
    return {
        "not-me": NotMeAsk(action=ACTION, token="dw_nm_abc"),
        "not-me-stale": NotMeAsk(action=ACTION, token="dw_nm_abc", problem=FormProblem(Wrong.STALE_FORM)),
        "not-me-done": NotMeDone(FLOW),
        "not-me-thanks": NoticeClosed("thanks"),
        "not-me-used": NoticeClosed("not_me", AT),
        "not-me-dismissed": NoticeClosed("was_me", AT),
        "not-me-ended": NoticeClosed("ended", AT),
        "not-me-gone": NoticeClosed("gone"),
        "review-password": ReviewView(step=2, done=Done.REPORTED),
        "review-methods": ReviewView(step=3, ways=(text, "Passkey")),
        "review-apps": ReviewView(step=4, apps=(text, "Orders"), keys=True),
        "review-apps-none": ReviewView(step=4),
    }
