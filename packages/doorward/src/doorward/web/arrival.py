"""What every page of ours begins with: who is there, what did they send, is the form ours, and which sign-in is it part of?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from doorward.model.signin import SignIn
from doorward.ports.catalog import CatalogSource
from doorward.ports.keys import Sealer
from doorward.rules.prove.attempts import Wait
from doorward.rules.prove.password import Weak
from doorward.web.http import Request, Response
from doorward.web.pages.views.problems import Problem, Wrong
from doorward.web.steps import Steps, named
from doorward.web.visitor import Forbidden, Visitor, Visitors

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

    async def dress(self, visitor: Visitor, sign_in: SignIn) -> Visitor:
        """The visitor as a guest of the app that sent them."""
        if sign_in.request is None:
            return visitor
        client = self.catalog.current().clients.get(sign_in.request.client_id)
        if sign_in.request.ui_locales:
            visitor = await self.visitors.meet(visitor.request, ui_locales=sign_in.request.ui_locales)
        return named(visitor, client.name if client else None)


def ticket_of(params: dict[str, str]) -> str | None:
    """The ticket that an address names, if it can be one."""
    given = params.get("ticket", "")
    return given if TICKET.fullmatch(given) else None


def weak(problem: Weak) -> Problem:
    """What the page says of a password that may not be set."""
    return Problem(_WEAK[problem.why], number=problem.number)


def waiting(wait: Wait) -> Problem:
    """ "Too many tries. Try again at 14:32."."""
    return Problem(Wrong.TOO_MANY_TRIES, at=wait.until)


def busy(response: Response, wait: Wait | int | None, now: int) -> Response:
    """The page of somebody who has to wait, for programs too (RFC 6585 §4)."""
    until = wait.until if isinstance(wait, Wait) else wait
    response.status = 429
    if until is not None:
        response.add("retry-after", str(max(1, until - now)))
    return response
