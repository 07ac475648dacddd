"""Authorization endpoint and consent page (OAuth 2.1 §3.1, §4.1)."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.features.authn.flow.outcomes import AskConsent, AuthorizationError
from doorward.features.authn.flow.pages import FlowPages, again_by_get
from doorward.features.oauth.authorize.rules.request import PARAMETERS
from doorward.features.oauth.authorize.service import Accepted, Authorize, RefusedByRedirect, Unsure
from doorward.features.oauth.consent.service import AnswerConsent
from doorward.features.sessions.asked import pack
from doorward.features.sessions.browser_context import (
    AppVisit,
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.web.http import BadForm, EarlyResponse, Response
from doorward.web.page import page
from doorward.web.pages.views.ends import ErrorPage, Failure, Way
from doorward.web.refusals import note
from doorward.web.route import Operation, Route

_EVENT = "authorization.refused"


class AuthorizePages(Struct, frozen=True, kw_only=True):
    """Handlers of GET and POST /authorize, GET and POST /consent."""

    flow: FlowPages
    authorize: Authorize
    answer: AnswerConsent

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of the two paths."""
        return [
            pages.app_request(
                "/authorize",
                self.start,
                unreadable=self.unreadable,
                operation=Operation(
                    takes=f"client_id response_type redirect_uri state response_mode {PARAMETERS}",
                    required="client_id response_type",
                ),
            ),
            pages.get("/consent", self.consent, unreadable=_unreadable, takes="flow"),
            pages.post(
                "/consent",
                self.decide,
                refused=self.decide_again,
                unreadable=_unreadable,
                takes="flow decision",
            ),
        ]

    async def start(self, asked: AppVisit) -> Response:
        """Begin a sign-in, by GET or POST (OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.1)."""
        browser, params = asked.browser, asked.params
        if (elsewhere := again_by_get(browser, "/authorize", params)) is not None:
            return elsewhere
        outcome = await self.authorize.check(params, caller=browser.caller, now=browser.now)
        if not isinstance(outcome, Accepted):
            return self._refused(browser, outcome, params)
        return await self._go(browser, outcome, params)

    def unreadable(self, browser: BrowserContext, problem: BadForm) -> Response:
        """An error page without redirect: of two client_ids or redirect_uris, the intended one is unknown (R9, R2)."""
        note(OAuthError("invalid_request", str(problem)), browser.request, event=_EVENT)
        return _unreadable(browser, problem)

    async def consent(self, visit: PageVisit) -> Response:
        """The question whether an app may have what it asks for. It decides nothing."""
        browser = visit.browser
        sign_in = await self.flow.load(browser, visit.query.get("flow"))
        if sign_in.request is not None:
            browser = browser.in_language(sign_in.request.ui_locales)
        return await self.flow.follow(browser, sign_in)

    async def decide(self, post: PagePost) -> Response:
        """Allow or cancel what an app asks for."""
        browser = post.browser
        asked = await self._question(browser, post.form.get("flow"))
        decision = post.form.get("decision")
        if decision not in {"allow", "deny"}:
            return self.flow.goals.consent_page(browser, asked)
        outcome = await self.answer.answer(
            asked, allow=decision == "allow", caller=browser.caller, now=browser.now
        )
        if outcome is None:
            return await self.flow.load_and_follow(browser, asked.sign_in.id)
        if isinstance(outcome, AuthorizationError):
            return await self.flow.answer(browser, outcome)
        return await self.flow.follow(browser, outcome)

    async def decide_again(self, post: StalePost) -> Response:
        """The question once more, if this browser may go on with the sign-in."""
        browser, flow = post.browser, post.form.get("flow")
        kept = await self.flow.surviving(browser, flow)
        if kept is not None and kept.id != flow:
            return await self.flow.follow_stale(browser, kept)
        return self.flow.goals.consent_page(browser, await self._question(browser, flow))

    async def _question(self, browser: BrowserContext, flow: str | None) -> AskConsent:
        """The consent question, if it is the next step of the sign-in; else `EarlyResponse` redirects to its next step."""
        asked = await self.flow.next_step(browser, await self.flow.load(browser, flow))
        if not isinstance(asked, AskConsent):
            raise EarlyResponse(await self.flow.answer(browser, asked))
        return asked

    def _refused(
        self, browser: BrowserContext, refused: Unsure | RefusedByRedirect, params: dict[str, str]
    ) -> Response:
        if isinstance(refused, RefusedByRedirect):
            note(refused.error, browser.request, event=_EVENT)
            return self.flow.goals.deliver(browser, refused.response, denied=True)
        client_id = params.get("client_id")
        note(refused.error, browser.request, event=_EVENT, client_id=client_id, warning=True)
        return page(_unsure(refused), browser, 400)

    async def _go(self, browser: BrowserContext, accepted: Accepted, params: dict[str, str]) -> Response:
        asked = accepted.request
        browser = browser.in_language(asked.ui_locales).for_app(accepted.client.name)
        if browser.session is not None:
            return await self.flow.follow(browser, await self.flow.begin(browser, asked))
        # a placeholder of the same length as the id to come
        kept = self.authorize.lighter(accepted, carried=pack("sin_" + 32 * "0", params) is not None)
        if not isinstance(kept, Accepted):
            return self._refused(browser, kept, params)
        sign_in = await self.flow.begin(browser, kept.request)
        if (carried := pack(sign_in.id, params)) is not None:
            browser.remember_asked(carried)
        return await self.flow.follow(browser, sign_in)


def _unreadable(browser: BrowserContext, problem: BadForm) -> Response:
    return page(ErrorPage(Failure.BAD_REQUEST, detail=str(problem)), browser, 400)


def _unsure(outcome: Unsure) -> ErrorPage:
    error = outcome.error
    if error.code == "invalid_client":
        return ErrorPage(Failure.UNKNOWN_APP, detail=error.description, ways=(Way.HOME,))
    if "redirect_uri" in error.reason:
        return ErrorPage(Failure.BAD_REDIRECT, detail=error.description, ways=(Way.HOME,))
    return ErrorPage(Failure.BAD_REQUEST, detail=error.description, ways=(Way.HOME,))
