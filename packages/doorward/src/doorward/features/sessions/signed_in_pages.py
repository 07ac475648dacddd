"""Signed-in pages: the page pipeline with one more check, a live session and, for sensitive changes, a recent sign-in."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final, Protocol, final
from urllib.parse import quote

from doorward.core.model.account import Account
from doorward.core.model.session import Session
from doorward.core.ports.keys import Sealer
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.features.sessions.service import Sessions
from doorward.web.http import EarlyResponse, Response
from doorward.web.page import page
from doorward.web.page_pipeline import VerifiedPost
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.ends import ErrorPage, Failure, Way
from doorward.web.pages.views.problems import Problem
from doorward.web.route import RECENT, SIGN_IN, Route

CONFIRM: Final = "/account/confirm"
_DONE_PURPOSE: Final = "done"
_OWN_PATH: Final = re.compile(r"/account(?:/[a-z-]+)*")


class SignedIn:
    """A person on their own pages. Who is not signed in has none: making one raises `TypeError`."""

    __slots__ = ("account", "browser", "session")

    def __init__(self, browser: BrowserContext) -> None:
        if browser.account is None or browser.session is None:
            raise TypeError("nobody is signed in")
        self.browser = browser
        self.account: Account = browser.account
        self.session: Session = browser.session


@final
class SignedInVisit(SignedIn):
    """A GET of such a page."""

    __slots__ = ("query",)

    def __init__(self, visit: PageVisit) -> None:
        super().__init__(visit.browser)
        self.query = visit.query


@final
class SignedInRefusedPost(SignedIn):
    """A form that was not used, of somebody who is signed in: it may be shown again, and nothing else."""

    __slots__ = ("form", "problem")

    def __init__(self, post: StalePost) -> None:
        super().__init__(post.browser)
        self.form = post.form
        self.problem: Problem = post.problem


@final
class SignedInPost(SignedIn):
    """A form of our own that somebody sent who is signed in. It takes a `VerifiedPost` to make one."""

    __slots__ = ("form",)

    def __init__(self, post: PagePost) -> None:
        if not isinstance(post, VerifiedPost):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError("only a VerifiedPost can act")
        super().__init__(post.browser)
        self.form = post.form


class SignInFirst(Protocol):
    """Begins a sign-in of this browser that ends on the page `back`, and answers the way to its first step."""

    async def sign_in_first(self, browser: BrowserContext, back: str) -> Response:
        """The redirect."""
        ...


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInPages:
    """Makes the routes of account pages."""

    pages: BrowserPages
    sessions: Sessions
    sealer: Sealer
    flow: SignInFirst

    def get(
        self,
        path: str,
        handler: Callable[[SignedInVisit], Awaitable[Response]],
        *,
        recent: bool = False,
        takes: str = "",
    ) -> Route:
        """A page that is looked at. Strangers sign in first and come back here."""

        @wraps(handler)
        async def answer(visit: PageVisit) -> Response:
            await self._signed_in(visit.browser, visit.browser.request.path, path if recent else None)
            return await handler(SignedInVisit(visit))

        return self.pages.get(path, answer, checks=_checks(recent), takes=takes)

    def post(
        self,
        path: str,
        handler: Callable[[SignedInPost], Awaitable[Response]],
        *,
        refused: Callable[[SignedInRefusedPost], Awaitable[Response]],
        back: str,
        recent: bool = False,
        takes: str = "",
    ) -> Route:
        """A form. Who is signed out by now signs in first and finds the page `back`, and so does who signed in too long ago for it
        (`recent`)."""

        @wraps(handler)
        async def act(post: PagePost) -> Response:
            await self._signed_in(post.browser, back, back if recent else None)
            return await handler(SignedInPost(post))

        async def refuse(post: StalePost) -> Response:
            await self._signed_in(post.browser, back, back if recent else None)
            return await refused(SignedInRefusedPost(post))

        return self.pages.post(path, act, refused=refuse, checks=_checks(recent), takes=takes)

    def lead(self, path: str, to: str) -> Route:
        """For the address of a form that stands on another page: a GET leads to that page."""
        return self.pages.lead(path, to)

    async def stale(self, owner: SignedInRefusedPost) -> Response:
        """For a form that has nothing to show again: it was not used, and the way back is there."""
        view = ErrorPage(Failure.STALE_FORM, ways=(Way.ACCOUNT, Way.HOME))
        return page(view, owner.browser, 403)

    def done(self, owner: SignedIn, path: str, what: Done) -> Response:
        """On to a page that says once what was done. The word is under our key and this session's: no link from elsewhere can
        make a page claim that a password was changed."""
        return owner.browser.go(f"{path}?done={what.value}&word={self._word(owner, what.value)}")

    def was_done(self, owner: SignedInVisit) -> Done | None:
        """What the page is to say."""
        what = owner.query.get("done", "")
        if what not in set(Done) or owner.query.get("word") != self._word(owner, what):
            return None
        return Done(what)

    def _word(self, owner: SignedIn, what: str) -> str:
        return self.sealer.tag(_DONE_PURPOSE, f"{owner.session.id}:{what}")[:16]

    async def _signed_in(self, browser: BrowserContext, back: str, recent_for: str | None) -> None:
        """Raise `EarlyResponse` unless somebody is signed in, and recently enough for the page `recent_for`."""
        if browser.account is None or browser.session is None:
            browser.stale = browser.request.method == "POST"
            raise EarlyResponse(await self.flow.sign_in_first(browser, own_path(back)))
        if recent_for is not None and not self.sessions.recent(browser.session, browser.account, browser.now):
            raise EarlyResponse(browser.go(f"{CONFIRM}?return_to={quote(recent_for)}"))


def own_path(given: str) -> str:
    """A path of the account pages, and nothing else that somebody might want to lead people to (open redirect)."""
    return given if len(given) <= 100 and _OWN_PATH.fullmatch(given) else "/account"


def _checks(recent: bool) -> tuple[str, ...]:
    return (SIGN_IN, RECENT) if recent else (SIGN_IN,)
