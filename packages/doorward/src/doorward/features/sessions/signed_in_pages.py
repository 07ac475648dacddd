"""Signed-in pages: the page pipeline with one more check, for a live session and, before sensitive changes, a recent sign-in."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Final, Protocol, final
from urllib.parse import quote

from msgspec import Struct

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
from doorward.web.pages.views.problems import FormProblem
from doorward.web.pages.views.said import Said
from doorward.web.route import RECENT, SIGN_IN, Route

CONFIRM: Final = "/account/confirm"
_DONE_PURPOSE: Final = "done"
_OWN_PATH: Final = re.compile(r"/account(?:/[a-z-]+)*")


class SignedIn:
    """A signed-in person on the account pages. Without a session the constructor raises `TypeError`."""

    __slots__ = ("account", "browser", "session")

    def __init__(self, browser: BrowserContext) -> None:
        if browser.account is None or browser.session is None:
            raise TypeError("nobody is signed in")
        self.browser = browser
        self.account: Account = browser.account
        self.session: Session = browser.session


@final
class SignedInVisit(SignedIn):
    """A GET of an account page."""

    __slots__ = ("query",)

    def __init__(self, visit: PageVisit) -> None:
        super().__init__(visit.browser)
        self.query = visit.query


@final
class SignedInRefusedPost(SignedIn):
    """A refused form of a signed-in person: it may be shown again, and must not have any effect."""

    __slots__ = ("form", "problem")

    def __init__(self, post: StalePost) -> None:
        super().__init__(post.browser)
        self.form = post.form
        self.problem: FormProblem = post.problem


@final
class SignedInPost(SignedIn):
    """A verified form of a signed-in person. The constructor requires a `VerifiedPost`."""

    __slots__ = ("form",)

    def __init__(self, post: PagePost) -> None:
        if not isinstance(post, VerifiedPost):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError("only a VerifiedPost can act")
        super().__init__(post.browser)
        self.form = post.form


class SignInFirst(Protocol):
    """Begins a sign-in of this browser that ends on the page `back`, and redirects to its first step; knows what a sign-in asks for."""

    async def sign_in_first(self, browser: BrowserContext, back: str) -> Response:
        """The redirect to the first step."""
        ...

    async def complete(self, session: Session, account: Account, now: int) -> bool:
        """Whether the session has all that a change of sign-in methods asks for."""
        ...


@final
class SignedInPages(Struct, frozen=True, kw_only=True):
    """Makes the routes of account pages."""

    pages: BrowserPages
    sessions: Sessions
    sealer: Sealer
    flow: SignInFirst
    done_by_features: Sequence[type[Said]] = ()

    def get(
        self,
        path: str,
        handler: Callable[[SignedInVisit], Awaitable[Response]],
        *,
        recent: bool = False,
        takes: str = "",
        json: type | None = None,
    ) -> Route:
        """A page, or `json` for the script of one. Without a session the person signs in first and returns here."""

        @wraps(handler)
        async def answer(visit: PageVisit) -> Response:
            await self._signed_in(visit.browser, visit.browser.request.path, path if recent else None)
            return await handler(SignedInVisit(visit))

        return self.pages.get(path, answer, checks=_checks(recent), takes=takes, json=json)

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
        """A form. Without a session, or with one too old for it (`recent`), the person signs in first and returns to the page `back`."""

        @wraps(handler)
        async def act(post: PagePost) -> Response:
            await self._signed_in(post.browser, back, back if recent else None)
            return await handler(SignedInPost(post))

        async def refuse(post: StalePost) -> Response:
            await self._signed_in(post.browser, back, back if recent else None)
            return await refused(SignedInRefusedPost(post))

        return self.pages.post(path, act, refused=refuse, checks=_checks(recent), takes=takes)

    async def recent(self, browser: BrowserContext) -> bool:
        """Whether the signed-in person proved themselves recently enough for a sensitive change, and with all that they have for it:
        whoever knows only the password could otherwise add a factor, and pass for two with it (R73, R85)."""
        session, account, now = browser.session, browser.account, browser.now
        if session is None or account is None or not self.sessions.recent(session, account, now):
            return False
        return await self.flow.complete(session, account, now)

    async def stale(self, owner: SignedInRefusedPost) -> Response:
        """The response to a refused form that is not shown again: an error page with a link back."""
        view = ErrorPage(Failure.STALE_FORM, ways=(Way.ACCOUNT, Way.HOME))
        return page(view, owner.browser, 403)

    def done(self, owner: SignedIn, path: str, what: Said) -> Response:
        """Redirect to a page that reports once what was done. The URL has a MAC under the server's key for this session, so that a link
        from elsewhere cannot make a page claim that a password was changed."""
        return owner.browser.go(f"{path}?done={what.value}&word={self._word(owner, what.value)}")

    def was_done(self, owner: SignedInVisit) -> Said | None:
        """The action that the page reports, if its MAC is valid."""
        what = owner.query.get("done", "")
        if owner.query.get("word") != self._word(owner, what):
            return None
        return next((one for kind in (Done, *self.done_by_features) for one in kind if one == what), None)

    def _word(self, owner: SignedIn, what: str) -> str:
        return self.sealer.tag(_DONE_PURPOSE, f"{owner.session.id}:{what}")[:16]

    async def _signed_in(self, browser: BrowserContext, back: str, recent_for: str | None) -> None:
        """Raise `EarlyResponse` unless the person is signed in, and recently enough for the page `recent_for`."""
        if browser.account is None or browser.session is None:
            browser.stale = browser.request.method == "POST"
            raise EarlyResponse(await self.flow.sign_in_first(browser, own_path(back)))
        if recent_for is not None and not await self.recent(browser):
            raise EarlyResponse(browser.go(f"{CONFIRM}?return_to={quote(recent_for)}"))


def own_path(given: str) -> str:
    """The given path if it is one of the account pages, else the profile (against open redirects)."""
    return given if len(given) <= 100 and _OWN_PATH.fullmatch(given) else "/account"


def _checks(recent: bool) -> tuple[str, ...]:
    return (SIGN_IN, RECENT) if recent else (SIGN_IN,)
