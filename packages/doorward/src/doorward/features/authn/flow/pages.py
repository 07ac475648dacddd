"""Sign-in pages' pipeline: which sign-in a page belongs to, and from one of its steps to the next page or out to the app."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlencode

from msgspec import structs

from doorward.core.model.auth_response import AuthResponse
from doorward.core.model.request import AuthRequest
from doorward.core.model.signin import SignIn
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.features.authn.flow.advance import Advance
from doorward.features.authn.flow.factor import Factor
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.outcomes import AskConsent, Denied, FactorRequired, Finished, Next, Stale
from doorward.features.authn.flow.sign_ins import SignIns
from doorward.features.sessions.asked import unpack
from doorward.features.sessions.browser_context import BrowserContext
from doorward.features.sessions.service import Sessions
from doorward.web.http import EarlyResponse, Response, redirect
from doorward.web.page import page
from doorward.web.pages.views.ends import ErrorPage, Failure, Way
from doorward.web.pages.views.problems import Problem, Wrong
from doorward.web.pages.views.sign_in import OtherWay
from doorward.web.refusals import note

LONGEST_QUERY: Final = 6000
_FLOW: Final = re.compile(r"[A-Za-z0-9_]{1,64}")
_TICKET: Final = re.compile(r"tkt_[0-9a-f]{32}")


class GoalPages(Protocol):
    """Pages of what a sign-in is for, when an app asked for it: handed in by whoever stands above the flow."""

    def consent_page(self, browser: BrowserContext, asked: AskConsent) -> Response:
        """The question whether the app may."""
        ...

    def deliver(self, browser: BrowserContext, response: AuthResponse, *, denied: bool) -> Response:
        """The answer to the app."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPages:
    """Every handler of a sign-in's pages ends in `follow`. Where a page cannot be shown at all, `EarlyResponse` is raised."""

    sign_ins: SignIns
    sessions: Sessions
    catalog: CatalogSource
    factors: OfferedFactors
    advance: Advance
    goals: GoalPages

    async def begin(
        self, browser: BrowserContext, request: AuthRequest | None, return_to: str | None = None
    ) -> SignIn:
        """A new sign-in of this browser, stored. Raises `ComeBackLater`."""
        return await self.sign_ins.begin(
            browser_hash=browser.browser_hash,
            address=browser.address,
            session=browser.session,
            request=request,
            return_to=return_to,
            now=browser.now,
        )

    async def sign_in_first(self, browser: BrowserContext, back: str) -> Response:
        """The way to the first step of a sign-in that ends on our own page `back`."""
        return await self.follow(browser, await self.begin(browser, None, back))

    async def load(self, browser: BrowserContext, flow: str | None) -> SignIn:
        """The sign-in that a page or form belongs to; with none named, one to the account pages.

        What expired, or was finished in another tab, begins again silently with the same destination. An id that this
        browser never had (a link from somebody else) leads to a plain sign-in: it never joins another's (R70).
        """
        if not flow:
            return await self.begin(browser, None, "/account")
        sign_in = await self.sign_ins.get(flow)
        if sign_in is None and (known := unpack(browser.asked or "")) is not None and known[0] == flow:
            # the row went when it expired, or with what was proven in it: the app's own request brings another one
            raise EarlyResponse(redirect(f"{browser.link('/authorize')}?{known[1]}"))
        if sign_in is None or sign_in.browser_hash != browser.browser_hash:
            raise EarlyResponse(browser.go("/sign-in"))
        if sign_in.done_at is not None or browser.now >= sign_in.expires_at:
            raise EarlyResponse(await self.restart(browser, sign_in))
        return sign_in

    async def current(
        self, browser: BrowserContext, flow: str | None
    ) -> tuple[BrowserContext, SignIn | None]:
        """The sign-in that a page belongs to, and the browser whose pages say for which app and in its language.

        Without a flow none is made: looking at a page leaves no trace in the database.
        """
        if not flow:
            return browser, None
        sign_in = await self.load(browser, flow)
        return self.for_app_of(browser, sign_in), sign_in

    async def kept(self, browser: BrowserContext, flow: str | None) -> tuple[BrowserContext, SignIn | None]:
        """The same for a form that was refused: whatever of its sign-in this browser may go on with, to show the form once more."""
        sign_in = await self.surviving(browser, flow)
        return (browser, None) if sign_in is None else (self.for_app_of(browser, sign_in), sign_in)

    async def surviving(self, browser: BrowserContext, flow: str | None) -> SignIn | None:
        """For a form whose token is not this browser's: the sign-in with which its page can go on.

        After a sign-out in another tab, or with lost cookies, the browser of the sign-in is gone for ever. A page of ours that stands in
        this browser may go on to the same app, as with the app's own address: what was proven there does not count, and whom it was for
        is not told. What another site sent gets nothing of it.
        """
        found = await self.sign_ins.get(flow) if flow else None
        if found is None or found.browser_hash is None:
            return None
        mine = found.browser_hash == browser.browser_hash
        if mine and found.done_at is None and browser.now < found.expires_at:
            return found
        if not browser.on_our_page:
            return None
        request = found.request
        if request is not None and not mine:
            request = structs.replace(request, login_hint=None)
        return await self.begin(browser, request, found.return_to)

    async def lead_onward(
        self, browser: BrowserContext, flow: str | None, path: str = "/sign-in", *, lost: bool = False
    ) -> None:
        """For a form that was refused: raise `EarlyResponse` with the way to `path`, for the same app, when its step cannot be shown
        once more in this browser. `lost`: what the step hangs on, beside the sign-in, was of another cookie too."""
        sign_in = await self.surviving(browser, flow)
        if sign_in is None:
            if lost and browser.on_our_page:
                raise EarlyResponse(self.went_stale(browser, path, None))
            return
        if path == "/sign-in" and sign_in.id != flow:
            raise EarlyResponse(await self.follow_stale(browser, sign_in))
        if lost:
            raise EarlyResponse(self.went_stale(browser, path, sign_in))

    def for_app_of(self, browser: BrowserContext, sign_in: SignIn) -> BrowserContext:
        """The browser as a guest of the app that sent it."""
        if sign_in.request is None:
            return browser
        client = self.catalog.current().clients.get(sign_in.request.client_id)
        if sign_in.request.ui_locales:
            browser = browser.in_language(sign_in.request.ui_locales)
        return browser.for_app(client.name if client else None)

    def went_stale(self, browser: BrowserContext, path: str, sign_in: SignIn | None) -> Response:
        """On from a page that cannot go on as it is; the page that comes says once that it was out of date."""
        word = browser.stale_word(sign_in.id if sign_in else "")
        return browser.go(with_flow(f"{path}?stale={word}", sign_in.id if sign_in else None))

    async def follow_stale(self, browser: BrowserContext, sign_in: SignIn) -> Response:
        """To wherever the sign-in stands now, for somebody whose page was out of date."""
        return await self.follow(dataclasses.replace(browser, stale=True), sign_in)

    async def restart(self, browser: BrowserContext, stale: SignIn) -> Response:
        """Begin again where the stale sign-in wanted to go. What a prompt asked for was asked; the session decides now. What a form had
        sent is lost then, and the next page says so."""
        if browser.request.method == "POST":
            browser = dataclasses.replace(browser, stale=True)
        request = stale.request
        if request is not None and stale.done_at is not None:
            request = structs.replace(request, prompt=request.prompt - {"login", "select_account", "create"})
        return await self.follow(browser, await self.begin(browser, request, stale.return_to))

    async def anew(self, browser: BrowserContext, sign_in: SignIn) -> SignIn:
        """The same sign-in with nothing proven yet («Not you?», another account, start over)."""
        return await self.sign_ins.emptied(sign_in) or await self.load(browser, sign_in.id)

    async def load_and_follow(self, browser: BrowserContext, flow: str) -> Response:
        """After a lost race: what is stored now decides."""
        return await self.follow(browser, await self.load(browser, flow))

    async def follow(self, browser: BrowserContext, sign_in: SignIn) -> Response:
        """Ask the dispatcher what comes next, and answer with it."""
        return await self.answer(browser, await self.next_step(browser, sign_in))

    async def next_step(self, browser: BrowserContext, sign_in: SignIn) -> Next:
        """What comes next, for a page that does not only lead there."""
        return await self.advance.next(
            sign_in, session=browser.session, caller=browser.caller, now=browser.now
        )

    async def answer(self, browser: BrowserContext, outcome: Next) -> Response:
        """The page or redirect that an outcome means."""
        match outcome:
            case FactorRequired(sign_in=sign_in, acceptable=acceptable):
                return self._ask(browser, sign_in, acceptable[0])
            case AskConsent(sign_in=sign_in):
                if browser.request.path == "/consent" and browser.request.method != "POST":
                    return self.goals.consent_page(browser, outcome)
                return browser.go(with_flow("/consent", sign_in.id))
            case Finished():
                self._remember(browser, outcome)
                if outcome.response is None:
                    return browser.go(outcome.sign_in.return_to or "/account")
                return self.goals.deliver(browser, outcome.response, denied=False)
            case Denied():
                self._note(browser, outcome)
                return self._denied(browser, outcome)
            case Stale(sign_in=sign_in):
                newest = await self.sign_ins.get(sign_in.id)
                # What lost the race may have been the session: with the one that was read then, it would lose again and again.
                if browser.session is not None:
                    browser = browser.with_session(await self.sessions.again(browser.session))
                if newest is None or newest.done_at is not None:
                    return await self.restart(browser, newest or sign_in)
                return await self.follow(browser, newest)

    def first_besides(self, path: str, locale: str) -> tuple[OtherWay, ...]:
        """Links to the factors with which anybody's sign-in may begin, but for the one whose page is at `path`. They are the same for
        everybody: before anything was shown they say nothing about an account (R80)."""
        return ways([one for one in self.factors.first if one.path != path], locale)

    def ways_to_set_up(self, locale: str) -> tuple[OtherWay, ...]:
        """Links to where factors are set up that have no card among the account's sign-in methods."""
        return tuple(
            OtherWay(one.label(locale), one.setup_path)
            for one in self.factors.all
            if one.setup_path is not None
        )

    def _ask(self, browser: BrowserContext, sign_in: SignIn, factor: Factor) -> Response:
        path = factor.path
        if factor.traits.comes_first:
            if sign_in.request is not None and "create" in sign_in.request.prompt:
                path = "/sign-up"
            if browser.stale:
                return self.went_stale(browser, path, sign_in)
        return browser.go(with_flow(path, sign_in.id))

    def _denied(self, browser: BrowserContext, outcome: Denied) -> Response:
        if outcome.response is not None:
            return self.goals.deliver(browser, outcome.response, denied=True)
        detail = outcome.refusal.say
        view = ErrorPage(Failure.UNKNOWN_APP, detail=detail, ways=(Way.HOME, Way.ACCOUNT))
        return page(view, browser, 400)

    def _note(self, browser: BrowserContext, outcome: Denied) -> None:
        request = outcome.sign_in.request
        client_id = request.client_id if request is not None else None
        client = self.catalog.current().clients.get(client_id or "")
        note(
            outcome.refusal,
            browser.request,
            event="authorization request refused",
            app=client.name if client is not None else None,
            client_id=client_id,
        )

    def _remember(self, browser: BrowserContext, done: Finished) -> None:
        if done.session_secret is not None:
            browser.remember_session(done.session_secret, done.session.expires_at - browser.now)
        if done.device_secret is not None:
            browser.remember_device(done.device_secret)


def again_by_get(browser: BrowserContext, path: str, params: Mapping[str, str]) -> Response | None:
    """For a request of an app that came as a POST without our cookies: the way to the same request by GET.

    A browser keeps SameSite=Lax cookies back from another site's POST, but sends them with the GET that a 303 leads to: so
    the person's session is seen. None when it is no such request, or too long for an address.
    """
    query = urlencode(params)
    if not browser.bare_post or len(query) > LONGEST_QUERY:
        return None
    return redirect(f"{browser.link(path)}?{query}")


def said_stale(browser: BrowserContext, query: Mapping[str, str]) -> Problem | None:
    """What a page has to say first when one before it had gone stale."""
    word = query.get("stale")
    stale = word is not None and word == browser.stale_word(query.get("flow", ""))
    return Problem(Wrong.STALE_FORM) if stale else None


def hinted(sign_in: SignIn | None) -> str:
    """The address that the app expects to sign in, for a form to begin with."""
    request = sign_in.request if sign_in is not None else None
    return (request.login_hint or "")[:254] if request is not None else ""


def ways(factors: Sequence[Factor], locale: str) -> tuple[OtherWay, ...]:
    """Links to the pages of these factors."""
    return tuple(OtherWay(factor.label(locale), factor.path) for factor in factors)


def with_flow(path: str, flow: str | None) -> str:
    """A path of ours that goes on naming the sign-in, if that can be the name of one."""
    if not flow or not _FLOW.fullmatch(flow):
        return path
    return f"{path}{'&' if '?' in path else '?'}flow={flow}"


def ticket_of(query: Mapping[str, str]) -> str | None:
    """The mailed code's ticket that an address names, if it can be one."""
    given = query.get("ticket", "")
    return given if _TICKET.fullmatch(given) else None
