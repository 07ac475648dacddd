"""Names that people give their devices, and what a form with one leads to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from doorward.core.model.device import MAX_NAME
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.signed_in_pages import SignedInPages, SignedInPost
from doorward.web.http import Response
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.problems import FormProblem, Wrong

DEVICES: Final = "/account/devices"


async def renamed(
    own: SignedInPages,
    post: SignedInPost,
    outcome: bool | Wait | None,
    again: Callable[[FormProblem | None, FormProblem | None], Awaitable[Response]],
) -> Response:
    """The response to a new name. `outcome`: whether it was stored, None for one that is too long. `again` shows the form with a problem of
    the form and one of the name."""
    if isinstance(outcome, Wait):
        return await again(FormProblem(Wrong.TOO_MANY_TRIES, at=outcome.until), None)
    if outcome is None:
        return await again(None, FormProblem(Wrong.NAME_TOO_LONG, MAX_NAME))
    return own.done(post, DEVICES, Done.DEVICE_RENAMED) if outcome else post.browser.go(DEVICES)
