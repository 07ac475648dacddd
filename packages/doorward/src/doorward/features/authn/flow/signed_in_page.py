"""What every account page needs: somebody signed in, recently enough where it matters, and a word about what was just done."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.session import Session
from doorward.features.authn.flow.page_pipeline import Arrival
from doorward.features.sessions.browser_context import Visitor
from doorward.features.sessions.rules import session as session_rule
from doorward.web.http import Handler, Request, Response, redirect
from doorward.web.page import page
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.ends import ErrorPage, Failure, Way

_DONE_PURPOSE: Final = "done"
_OWN_PATH: Final = re.compile(r"/account(?:/[a-z-]+)*")


class Owner(Struct, frozen=True):
    """A signed-in person on their own pages."""

    visitor: Visitor
    account: Account
    session: Session


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """The way in to the account pages."""

    arrival: Arrival
    policy: SessionPolicy

    async def look(self, request: Request) -> tuple[Owner, dict[str, str]] | Response:
        """A GET. Strangers sign in first and come back here."""
        visitor, params = await self.arrival.look(request)
        owner = _owner(visitor)
        return (owner, params) if owner is not None else await self._sign_in_first(visitor, request.path)

    async def act(self, request: Request, back: str) -> tuple[Owner, dict[str, str], bool] | Response:
        """A POST: the form, and whether it is ours. Who is signed out by now signs in first and finds the page `back`."""
        visitor, form, ours = await self.arrival.act(request)
        owner = _owner(visitor)
        if owner is not None:
            return owner, form, ours
        return await self._sign_in_first(dataclasses.replace(visitor, stale=True), back)

    def shown_at(self, path: str) -> Handler:
        """For the address of a form that stands on the page at `path`: a GET, by a reload after its answer, leads there."""

        async def lead(request: Request) -> Response:
            del request
            return redirect(self.arrival.steps.link(path))

        return lead

    def confirm_first(self, owner: Owner, back: str) -> Response | None:
        """None when the sign-in is recent; else the way over the page that asks again (ASVS 7.5.1, line 73)."""
        if session_rule.recent(owner.session, owner.account, self.policy, owner.visitor.now):
            return None
        return self.go(owner.visitor, f"/account/confirm?return_to={quote(back)}")

    def go(self, visitor: Visitor, path: str) -> Response:
        """On to another page of ours (line 10)."""
        return visitor.dress(redirect(self.arrival.steps.link(path)))

    def done(self, owner: Owner, path: str, what: Done) -> Response:
        """On to a page that says once what was done. The word is under our key and this session's: no link from elsewhere can
        make a page claim that a password was changed."""
        return self.go(owner.visitor, f"{path}?done={what.value}&word={self._word(owner, what.value)}")

    def was_done(self, owner: Owner, params: dict[str, str]) -> Done | None:
        """What the page is to say."""
        what = params.get("done", "")
        if what not in set(Done) or params.get("word") != self._word(owner, what):
            return None
        return Done(what)

    def stale(self, owner: Owner) -> Response:
        """The form was not ours, or not of this browser: it was not used, and the way back is there."""
        view = ErrorPage(Failure.STALE_FORM, ways=(Way.ACCOUNT, Way.HOME))
        return page(view, owner.visitor, 403)

    def _word(self, owner: Owner, what: str) -> str:
        return self.arrival.sealer.tag(_DONE_PURPOSE, f"{owner.session.id}:{what}")[:16]

    async def _sign_in_first(self, visitor: Visitor, back: str) -> Response:
        steps = self.arrival.steps
        return await steps.follow(visitor, await steps.begin(visitor, None, own_path(back)))


def own_path(given: str) -> str:
    """A path of the account pages, and nothing else that somebody might want to lead people to (open redirect)."""
    return given if len(given) <= 100 and _OWN_PATH.fullmatch(given) else "/account"


def _owner(visitor: Visitor) -> Owner | None:
    if visitor.account is None or visitor.session is None:
        return None
    return Owner(visitor, visitor.account, visitor.session)
