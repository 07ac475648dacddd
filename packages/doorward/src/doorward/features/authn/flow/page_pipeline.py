"""What every page of ours begins with: who is there, what did they send, is the form ours, and which sign-in is it part of?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from doorward.core.model.signin import SignIn
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.core.ports.keys import Sealer
from doorward.features.authn.factors.email_code.rules import Missed
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.authn.flow.routes import Steps, named
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.browser_context import Forbidden, Visitor, Visitors
from doorward.web.http import Request, Response
from doorward.web.pages.views.problems import Problem, Wrong

_FLOW: Final = re.compile(r"[A-Za-z0-9_]{1,64}")
TICKET: Final = re.compile(r"tkt_[0-9a-f]{32}")
STALE: Final = Problem(Wrong.STALE_FORM)

_WEAK: Final = {
    "missing": Wrong.PASSWORD_MISSING,
    "too_short": Wrong.PASSWORD_TOO_SHORT,
    "too_long": Wrong.PASSWORD_TOO_LONG,
    "breached": Wrong.PASSWORD_BREACHED,
    "guessable": Wrong.PASSWORD_GUESSABLE,
    "context": Wrong.PASSWORD_CONTEXT,
    "unchanged": Wrong.PASSWORD_UNCHANGED,
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """Shared by the pages of people. Raises `BadForm` and `BodyTooLarge`, which the boundary answers."""

    visitors: Visitors
    steps: Steps
    catalog: CatalogSource
    sealer: Sealer

    async def look(self, request: Request) -> tuple[Visitor, dict[str, str]]:
        """A GET: the visitor and the query."""
        params = request.query()
        return await self.visitors.meet(request), params

    async def act(self, request: Request) -> tuple[Visitor, dict[str, str], bool]:
        """A POST: the visitor, the form, and whether it is ours and may act (line 70). The ticket's id rides in the query."""
        form = await request.form()
        visitor = await self.visitors.meet(request)
        try:
            visitor.guard(form, sealer=self.sealer)
        except Forbidden:
            return visitor, form, False
        return visitor, form, True

    async def flow(self, visitor: Visitor, flow: str | None) -> tuple[Visitor, SignIn | None] | Response:
        """The sign-in that a page belongs to, and the visitor whose pages say for which app and in its language.

        Without a flow none is made: looking at a page leaves no trace in the database.
        """
        if not flow:
            return visitor, None
        sign_in = await self.steps.load(visitor, flow)
        if isinstance(sign_in, Response):
            return sign_in
        return await self.dress(visitor, sign_in), sign_in

    async def kept(self, visitor: Visitor, flow: str | None) -> tuple[Visitor, SignIn | None]:
        """The same for a form that is not ours: whatever of its sign-in this browser may go on with, to show the form once more."""
        sign_in = await self.steps.kept(visitor, flow)
        return (visitor, None) if sign_in is None else (await self.dress(visitor, sign_in), sign_in)

    async def onward(
        self, visitor: Visitor, flow: str | None, path: str = "/sign-in", *, lost: bool = False
    ) -> Response | None:
        """For a form that is not ours and whose step cannot be shown once more in this browser: the way to `path`, with the same app.
        None when it can. `lost`: what the step hangs on, beside the sign-in, was of another cookie too."""
        sign_in = await self.steps.kept(visitor, flow)
        if sign_in is None:
            return self.steps.went_stale(visitor, path, None) if lost and visitor.on_our_page else None
        if path == "/sign-in" and sign_in.id != flow:
            return await self.steps.follow_stale(visitor, sign_in)
        return self.steps.went_stale(visitor, path, sign_in) if lost else None

    async def dress(self, visitor: Visitor, sign_in: SignIn) -> Visitor:
        """The visitor as a guest of the app that sent them."""
        if sign_in.request is None:
            return visitor
        client = self.catalog.current().clients.get(sign_in.request.client_id)
        if sign_in.request.ui_locales:
            visitor = await self.visitors.meet(visitor.request, ui_locales=sign_in.request.ui_locales)
        return named(visitor, client.name if client else None)


def went_stale(visitor: Visitor, params: dict[str, str]) -> Problem | None:
    """What a page has to say first when one before it had gone stale."""
    word = params.get("stale")
    return STALE if word is not None and word == visitor.stale_word(params.get("flow", "")) else None


def not_ours(visitor: Visitor) -> Problem:
    """What the page says whose form was not used: its token was not this browser's, or it came from elsewhere."""
    return STALE if visitor.on_our_page else Problem(Wrong.FOREIGN_FORM)


def with_flow(path: str, flow: str | None) -> str:
    """A path of ours that goes on naming the sign-in, if that can be the name of one."""
    if not flow or not _FLOW.fullmatch(flow):
        return path
    return f"{path}{'&' if '?' in path else '?'}flow={flow}"


def ticket_of(params: dict[str, str]) -> str | None:
    """The ticket that an address names, if it can be one."""
    given = params.get("ticket", "")
    return given if TICKET.fullmatch(given) else None


def weak(problem: Weak) -> Problem:
    """What the page says of a password that may not be set."""
    return Problem(_WEAK[problem.why], number=problem.number)


def waiting(wait: Wait) -> Problem:
    """ "Too many tries. Try again at 14:32."; of mails to an address, who else can be asked."""
    return Problem(Wrong.TOO_MANY_MAILS if wait.stranger else Wrong.TOO_MANY_TRIES, at=wait.until)


def missed(outcome: Missed | Wait) -> Problem:
    """What is wrong with a mailed code, and what helps: the link goes on working when no more codes are looked at."""
    if isinstance(outcome, Wait):
        return Problem(Wrong.CODE_SPENT, at=outcome.until)
    return Problem(Wrong.CODE_SPENT if outcome.why == "spent" else Wrong.CODE_WRONG)


def busy(response: Response, wait: Wait | int | None, now: int) -> Response:
    """The page of somebody who has to wait, for programs too (RFC 6585 §4)."""
    until = wait.until if isinstance(wait, Wait) else wait
    response.status = 429
    if until is not None:
        response.add("retry-after", str(max(1, until - now)))
    return response
