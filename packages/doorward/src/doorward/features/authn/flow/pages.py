"""Page pipeline of the sign-in: loads the sign-in of a page, and leads from each step to the next page or back to the app."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct, structs

from doorward.core.model.account import Account
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.factor import ENROL_PATH, Factor
from doorward.features.authn.flow.goal import GoalPages
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.outcomes import (
    AskConsent,
    AuthorizationError,
    Conflict,
    EnrolmentRequired,
    FactorRequired,
    Finished,
    Next,
)
from doorward.features.authn.flow.risk import REFUSED
from doorward.features.authn.flow.rules.risk_mark import ASKS, marked
from doorward.features.authn.flow.rules.routing import DomainRoutes
from doorward.features.authn.flow.sending import SendCode
from doorward.features.authn.flow.sign_in_flow import SignInFlow
from doorward.features.authn.flow.sign_ins import SignIns
from doorward.features.clients.directory import ClientDirectory
from doorward.features.sessions.asked import unpack
from doorward.features.sessions.browser_context import BrowserContext
from doorward.features.sessions.service import Sessions
from doorward.web.http import EarlyResponse, Response, redirect
from doorward.web.page import page
from doorward.web.pages.views.ends import ErrorPage, Failure, Way
from doorward.web.pages.views.fragment import Fragment
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sign_in import OtherWay, ProviderButton
from doorward.web.refusals import note

LONGEST_QUERY: Final = 6000
_FLOW: Final = re.compile(r"[A-Za-z0-9_]{1,64}")
_TICKET: Final = re.compile(r"tkt_[0-9a-f]{32}")


class FlowPages(Struct, frozen=True, kw_only=True):
    """Every handler of a sign-in page ends in `follow`. Where a page cannot be shown at all, `EarlyResponse` is raised."""

    sign_ins: SignIns
    sessions: Sessions
    clients: ClientDirectory
    factors: OfferedFactors
    sign_in_flow: SignInFlow
    send_code: SendCode
    goals: GoalPages
    routes: DomainRoutes

    async def begin(
        self, browser: BrowserContext, request: AuthRequest | None, return_to: str | None = None
    ) -> SignIn:
        """A new, stored sign-in of this browser. Raises `ComeBackLater`."""
        return await self.sign_ins.begin(
            browser_hash=browser.browser_hash,
            return_to=return_to,
            now=browser.now,
            session=browser.session,
            request=request,
            counted_for=browser.session.account_id if browser.session is not None else browser.address,
        )

    async def sign_in_first(self, browser: BrowserContext, back: str) -> Response:
        """Redirect to the first step of a sign-in that ends on this server's page `back`."""
        return await self.follow(browser, await self.begin(browser, None, back))

    async def complete(self, session: Session, account: Account, now: int) -> bool:
        """Whether a session has all that a change of sign-in methods asks for."""
        return await self.sign_in_flow.complete(session, account, now)

    async def load(self, browser: BrowserContext, flow: str | None) -> SignIn:
        """The sign-in of a page or form; without `flow`, a new one to the account pages.

        A sign-in that expired or was finished in another tab begins again with the same destination. An id of another browser (for
        instance in a link from an attacker) leads to a plain sign-in: this browser never joins the sign-in of another (R70).
        """
        if not flow:
            return await self.begin(browser, None, "/account")
        sign_in = await self.sign_ins.get(flow)
        if sign_in is None and (known := unpack(browser.asked or "")) is not None and known[0] == flow:
            # the row was deleted on expiry or with its session; the app's own request begins a new sign-in
            raise EarlyResponse(redirect(f"{browser.link('/authorize')}?{known[1]}"))
        if sign_in is None or sign_in.browser_hash != browser.browser_hash:
            raise EarlyResponse(browser.go("/sign-in"))
        if sign_in.done_at is not None or browser.now >= sign_in.expires_at:
            raise EarlyResponse(await self.restart(browser, sign_in))
        return sign_in

    async def current(
        self, browser: BrowserContext, flow: str | None
    ) -> tuple[BrowserContext, SignIn | None]:
        """The sign-in of a page, and the browser context with its app and language. Without `flow` none is created: viewing a page
        writes nothing to the database."""
        if not flow:
            return browser, None
        sign_in = await self.load(browser, flow)
        return await self.for_app_of(browser, sign_in), sign_in

    async def kept(self, browser: BrowserContext, flow: str | None) -> tuple[BrowserContext, SignIn | None]:
        """The same for a refused form: the sign-in that this browser may continue, to show the form again; None if there is none."""
        sign_in = await self.surviving(browser, flow)
        return (browser, None) if sign_in is None else (await self.for_app_of(browser, sign_in), sign_in)

    async def surviving(self, browser: BrowserContext, flow: str | None) -> SignIn | None:
        """The sign-in with which the page of a form can continue, when the form's token belongs to another browser cookie.

        After a sign-out in another tab, or with lost cookies, the old browser cookie is gone for good. A page of this server in this
        browser may continue to the same app, as a new request of the app would: proofs do not count, and the expected person is not
        revealed. A form from another site gets nothing.
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
        """For a refused form: raise `EarlyResponse` with a redirect to `path`, for the same app, when its step cannot be shown again in
        this browser. `lost`: the challenge of the step belongs to another cookie too."""
        sign_in = await self.surviving(browser, flow)
        if sign_in is None:
            if lost and browser.on_our_page:
                raise EarlyResponse(self.went_stale(browser, path, None))
            return
        if path == "/sign-in" and sign_in.id != flow:
            raise EarlyResponse(await self.follow_stale(browser, sign_in))
        if lost:
            raise EarlyResponse(self.went_stale(browser, path, sign_in))

    async def for_app_of(self, browser: BrowserContext, sign_in: SignIn) -> BrowserContext:
        """The browser context with the name and the languages of the app that started the sign-in, and why it is asked for more."""
        risk = self.sign_in_flow.risk
        if risk is not None and marked(sign_in.proofs) in ASKS:
            browser = browser.explained(await risk.because(sign_in))
        if sign_in.request is None:
            return browser
        name = await self.clients.name(sign_in.request.client_id)
        if sign_in.request.ui_locales:
            browser = browser.in_language(sign_in.request.ui_locales)
        return browser.for_app(name)

    def went_stale(self, browser: BrowserContext, path: str, sign_in: SignIn | None) -> Response:
        """Redirect from an outdated page; the next page says once that the form was out of date."""
        word = browser.stale_word(sign_in.id if sign_in else "")
        return browser.go(with_flow(f"{path}?stale={word}", sign_in.id if sign_in else None))

    async def follow_stale(self, browser: BrowserContext, sign_in: SignIn) -> Response:
        """Redirect from an outdated page to the current step of the sign-in."""
        return await self.follow(structs.replace(browser, stale=True), sign_in)

    async def restart(self, browser: BrowserContext, stale: SignIn) -> Response:
        """Begin a new sign-in with the destination of an outdated one. Prompts that were shown are dropped; the session decides now.
        The next page says that the data of a submitted form is lost."""
        if browser.request.method == "POST":
            browser = structs.replace(browser, stale=True)
        request = stale.request
        if request is not None and stale.done_at is not None:
            request = structs.replace(request, prompt=request.prompt - {"login", "select_account", "create"})
        return await self.follow(browser, await self.begin(browser, request, stale.return_to))

    async def anew(self, browser: BrowserContext, sign_in: SignIn) -> SignIn:
        """The same sign-in without proofs ("Not you?", another account, start over)."""
        return await self.sign_ins.emptied(sign_in) or await self.load(browser, sign_in.id)

    async def load_and_follow(self, browser: BrowserContext, flow: str) -> Response:
        """Continue from the stored state after a lost race."""
        return await self.follow(browser, await self.load(browser, flow))

    async def follow(self, browser: BrowserContext, sign_in: SignIn) -> Response:
        """Get the next step from the dispatcher, and respond with it."""
        return await self.answer(browser, await self.next_step(browser, sign_in))

    async def follow_proof(self, browser: BrowserContext, sign_in: SignIn) -> Response:
        """The same after a form that proved a first factor. If the only thing to show next is a code that is sent, it is sent now."""
        outcome = await self.next_step(browser, sign_in)
        if isinstance(outcome, FactorRequired):
            await self.send_code.send_only(
                outcome.sign_in,
                outcome.acceptable,
                locale=browser.context.locale,
                caller=browser.caller,
                now=browser.now,
            )
        return await self.answer(browser, outcome)

    async def next_step(self, browser: BrowserContext, sign_in: SignIn) -> Next:
        """The next step, for a page that needs more than the redirect."""
        return await self.sign_in_flow.next(
            sign_in, session=browser.session, caller=browser.caller, now=browser.now
        )

    async def answer(self, browser: BrowserContext, outcome: Next) -> Response:
        """The page or redirect for an outcome."""
        match outcome:
            case FactorRequired(sign_in=sign_in, acceptable=acceptable):
                return self._ask(browser, sign_in, acceptable[0])
            case EnrolmentRequired(sign_in=sign_in):
                return browser.go(with_flow(ENROL_PATH, sign_in.id))
            case AskConsent(sign_in=sign_in):
                if browser.request.path == "/consent" and browser.request.method != "POST":
                    return self.goals.consent_page(browser, outcome)
                return browser.go(with_flow("/consent", sign_in.id))
            case Finished():
                if outcome.session_secret is not None:
                    lasts = outcome.session.expires_at - browser.now
                    browser.remember_session(outcome.session_secret, lasts)
                if outcome.device_secret is not None:
                    browser.remember_device(outcome.device_secret)
                if outcome.trust is not None:
                    browser.remember_trust(outcome.trust)
                if outcome.response is None:
                    return browser.go(outcome.sign_in.return_to or "/account")
                return self.goals.deliver(browser, outcome.response, denied=False)
            case AuthorizationError():
                await self._note(browser, outcome)
                if outcome.error is REFUSED:
                    return page(ErrorPage(Failure.SIGN_IN_STOPPED, ways=(Way.HOME,)), browser, 403)
                if outcome.response is not None:
                    return self.goals.deliver(browser, outcome.response, denied=True)
                return await self.goals.refused(browser, outcome)
            case Conflict(sign_in=sign_in):
                newest = await self.sign_ins.get(sign_in.id)
                # The guard that failed may have been the session; with the outdated one, the commit would fail again and again.
                if browser.session is not None:
                    browser = browser.with_session(await self.sessions.again(browser.session))
                if newest is None or newest.done_at is not None:
                    return await self.restart(browser, newest or sign_in)
                return await self.follow(browser, newest)

    def first_besides(
        self, path: str, browser: BrowserContext, flow: str | None
    ) -> tuple[tuple[OtherWay, ...], tuple[Fragment, ...]]:
        """The factors with which a sign-in may begin, except the one whose page is at `path`: links, and those that this page itself
        shows. They are the same for everybody: before a proof they reveal nothing about an account (R80)."""
        others = [one for one in self.factors.first if one.path != path]
        shown = [(one, one.offer(browser.browser_hash, flow, browser.now)) for one in others]
        links = ways([one for one, offer in shown if offer is None], browser.context.locale)
        return links, tuple(offer for _, offer in shown if offer is not None)

    def buttons(self) -> tuple[ProviderButton, ...]:
        """The accounts elsewhere with which a sign-in may begin."""
        return tuple(button for one in self.factors.first for button in one.buttons())

    def ways_to_set_up(self, locale: str) -> tuple[OtherWay, ...]:
        """Links to the setup pages of factors that have no card among the account's sign-in methods."""
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

    async def _note(self, browser: BrowserContext, outcome: AuthorizationError) -> None:
        request = outcome.sign_in.request
        client_id = request.client_id if request is not None else None
        note(
            outcome.error,
            browser.request,
            event="authorization.refused",
            app=await self.clients.name(client_id),
            client_id=client_id,
        )


def again_by_get(browser: BrowserContext, path: str, params: Mapping[str, str]) -> Response | None:
    """For an app's request by POST without cookies: a redirect to the same request by GET.

    Browsers withhold SameSite=Lax cookies from a POST of another site, but send them with the GET after a 303, so that the session
    is found. None if it is no such request, or too long for a URL.
    """
    query = urlencode(params)
    if not browser.bare_post or len(query) > LONGEST_QUERY:
        return None
    return redirect(f"{browser.link(path)}?{query}")


def said_stale(browser: BrowserContext, query: Mapping[str, str]) -> FormProblem | None:
    """The problem that a page shows first after an outdated one."""
    word = query.get("stale")
    stale = word is not None and word == browser.stale_word(query.get("flow", ""))
    return FormProblem(Wrong.STALE_FORM) if stale else None


def hinted(sign_in: SignIn | None) -> str:
    """The address that the app expects to sign in, to prefill a form."""
    request = sign_in.request if sign_in is not None else None
    return (request.login_hint or "")[:254] if request is not None else ""


def ways(factors: Sequence[Factor], locale: str) -> tuple[OtherWay, ...]:
    """Links to the pages of these factors; one for those that share a page."""
    shown = {factor.path: factor for factor in reversed(factors)}
    return tuple(OtherWay(one.label(locale), path) for path, one in reversed(shown.items()))


def with_flow(path: str, flow: str | None) -> str:
    """A path of this server with the id of the sign-in, if it has the form of one."""
    if not flow or not _FLOW.fullmatch(flow):
        return path
    return f"{path}{'&' if '?' in path else '?'}flow={flow}"


def ticket_of(query: Mapping[str, str]) -> str | None:
    """The challenge id of a mailed code in a URL, if it has the form of one."""
    given = query.get("ticket", "")
    return given if _TICKET.fullmatch(given) else None
