"""Pages of a mailed code and its link: "Check your mail", another mail, and the button behind the link. Base class for sign-up and
reset."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Generic, Literal, TypeVar
from urllib.parse import quote

from doorward.core.abstract_struct import AbstractStruct
from doorward.core.model.message import EmailChallenge
from doorward.features.authn.email_challenges.problems import missed, waiting
from doorward.features.authn.email_challenges.rules import Missed, Proven
from doorward.features.authn.email_challenges.service import LINK_PATHS, EmailChallenges
from doorward.features.authn.flow.pages import FlowPages, hinted, said_stale, ticket_of, with_flow
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.web.http import EarlyResponse, Response
from doorward.web.page import page
from doorward.web.pages.views.ends import ErrorPage, Failure, Way
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sign_up import CheckMail, LinkPage
from doorward.web.route import Route

T = TypeVar("T")


class CodePages(AbstractStruct, Generic[T], frozen=True, kw_only=True):
    """`kind` is the purpose of the mail, `start` the path of the first page; `T` is the result of a correct code or link. Every answer
    about an address is the same whether or not an account has it (R80)."""

    kind: ClassVar[Literal["sign_up", "reset"]]
    start: ClassVar[str]
    asks: ClassVar[str]
    """The fields of the first form."""
    start_way: ClassVar[Way]
    flow: FlowPages
    email_challenges: EmailChallenges

    @abstractmethod
    def form(
        self,
        browser: BrowserContext,
        flow: str | None,
        email: str,
        name: str = "",
        **problems: FormProblem | None,
    ) -> Response:
        """The first page."""

    @abstractmethod
    async def answer(self, post: PagePost) -> Response:
        """What the form asks for."""

    @abstractmethod
    async def send_again(self, ticket_id: str, browser: BrowserContext) -> EmailChallenge | Wait | None:
        """Send another mail. None: there is nothing to send again."""

    @abstractmethod
    async def accept(self, proven: Proven, browser: BrowserContext) -> T | Missed:
        """What follows from a typed code or a pressed link button."""

    @abstractmethod
    async def go_on(self, browser: BrowserContext, proven: T, flow: str | None) -> Response:
        """The response after a proof. `flow` is the sign-in that the form named, if any."""

    async def ask(self, visit: PageVisit) -> Response:
        """The form for the address."""
        browser, sign_in = await self.flow.current(visit.browser, visit.query.get("flow"))
        problem = said_stale(browser, visit.query)
        return self.form(browser, sign_in.id if sign_in else None, hinted(sign_in), problem=problem)

    async def ask_again(self, post: StalePost) -> Response:
        """The form, with what was typed but the password."""
        browser, kept = await self.flow.kept(post.browser, post.form.get("flow"))
        email, name = post.form.get("email", ""), post.form.get("name", "")
        return self.form(browser, kept.id if kept else None, email, name, problem=post.problem)

    async def check(self, visit: PageVisit) -> Response:
        """The page for the code from the mail: the same words whatever was sent."""
        browser, query = visit.browser, visit.query
        ticket_id, flow = self.named(browser, query, query.get("flow"))
        challenge = await self.email_challenges.held(self.kind, ticket_id, browser.browser_hash)
        if challenge is None or challenge.used_at is not None or challenge.proven_at is not None:
            return self.over(browser, flow)
        return await self._check_page(browser, ticket_id, flow, resent="resent" in query)

    async def check_code(self, post: PagePost) -> Response:
        """Enter the code from the mail."""
        browser, code = post.browser, post.form.get("code", "")
        ticket_id, flow = self.named(browser, post.query, post.form.get("flow"))
        if not code.strip():
            return await self._check_page(browser, ticket_id, flow, problem=FormProblem(Wrong.CODE_MISSING))
        outcome = await self.email_challenges.by_code(
            self.kind, ticket_id, code, caller=browser.caller, now=browser.now
        )
        if isinstance(outcome, Proven):
            outcome = await self.accept(outcome, browser)
        if isinstance(outcome, Missed | Wait):
            return await self._check_page(browser, ticket_id, flow, problem=missed(outcome))
        return await self.go_on(browser, outcome, flow)

    async def check_again(self, post: StalePost) -> Response:
        """The form for the code. The code is bound to the browser that requested it; a browser with another cookie begins again."""
        ticket_id, flow = await self.lead_onward(post)
        return await self._check_page(post.browser, ticket_id, flow, problem=post.problem)

    async def resent(self, visit: PageVisit) -> Response:
        """Leads to the page with the form: another mail was asked for, and the page is loaded again."""
        ticket_id, flow = self.named(visit.browser, visit.query, visit.query.get("flow"))
        return to_ticket(visit.browser, f"{self.start}/check", ticket_id, flow)

    async def resend(self, post: PagePost) -> Response:
        """Send the mail again; the earlier one stops working."""
        browser = post.browser
        ticket_id, flow = self.named(browser, post.query, post.form.get("flow"))
        outcome = await self.send_again(ticket_id, browser)
        if outcome is None:
            return self.over(browser, flow)
        if isinstance(outcome, Wait):
            return await self._check_page(browser, ticket_id, flow, problem=waiting(outcome))
        return to_ticket(browser, f"{self.start}/check", outcome.id, flow, "&resent=1")

    async def link(self, visit: PageVisit) -> Response:
        """The page behind the mailed link. It only shows a button: scanners open links, people press buttons."""
        browser, token = visit.browser, visit.query.get("token", "")
        found = await self.email_challenges.by_link(self.kind, token, browser.browser_hash, browser.now)
        if isinstance(found, Missed):
            return self._link_missed(browser, found, token)
        return page(self._button(token, found.challenge.sign_in_id), browser)

    async def press(self, post: PagePost) -> Response:
        """Press the button behind the mailed link."""
        browser, token = post.browser, post.form.get("token", "")
        outcome = await self.email_challenges.by_link(self.kind, token, browser.browser_hash, browser.now)
        if isinstance(outcome, Proven):
            outcome = await self.accept(outcome, browser)
        if isinstance(outcome, Missed):
            return self._link_missed(browser, outcome, token)
        return await self.go_on(browser, outcome, None)

    async def press_again(self, post: StalePost) -> Response:
        """The button once more."""
        button = self._button(post.form.get("token", "")[:200], post.form.get("flow") or None)
        return page(button, post.browser, 403)

    def named(
        self, browser: BrowserContext, query: dict[str, str], flow: str | None
    ) -> tuple[str, str | None]:
        """The challenge and the sign-in that a URL names. Without a challenge, `EarlyResponse` redirects to the first page."""
        ticket_id = ticket_of(query)
        if ticket_id is None:
            raise EarlyResponse(self.over(browser, flow))
        return ticket_id, flow

    async def lead_onward(self, post: StalePost) -> tuple[str, str | None]:
        """The same for a refused form. `EarlyResponse` redirects when this browser may not be shown the form again."""
        browser = post.browser
        ticket_id, flow = self.named(browser, post.query, post.form.get("flow"))
        lost = await self.email_challenges.held(self.kind, ticket_id, browser.browser_hash) is None
        await self.flow.lead_onward(browser, flow, self.start, lost=lost)
        return ticket_id, flow

    def over(self, browser: BrowserContext, flow: str | None) -> Response:
        """A redirect to the first page; an expired step has no page of its own."""
        return browser.go(with_flow(self.start, flow))

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of these pages and of the first page."""
        start, link = self.start, LINK_PATHS[self.kind]
        return [
            pages.get(start, self.ask, takes="flow"),
            pages.post(start, self.answer, refused=self.ask_again, takes=self.asks),
            pages.get(f"{start}/check", self.check, takes="flow ticket resent"),
            pages.post(f"{start}/check", self.check_code, refused=self.check_again, takes="flow code"),
            pages.get(f"{start}/resend", self.resent, takes="flow ticket"),
            pages.post(f"{start}/resend", self.resend, refused=self.check_again, takes="flow"),
            pages.get(link, self.link, takes="token"),
            pages.post(link, self.press, refused=self.press_again, takes="flow token"),
        ]

    async def _check_page(
        self,
        browser: BrowserContext,
        ticket_id: str,
        flow: str | None,
        *,
        resent: bool = False,
        problem: FormProblem | None = None,
    ) -> Response:
        asked = await self.email_challenges.held(self.kind, ticket_id, browser.browser_hash)
        view = CheckMail(
            purpose=self.kind,
            action=f"{self.start}/check?ticket={ticket_id}",
            resend_action=f"{self.start}/resend?ticket={ticket_id}",
            flow=flow or None,
            email=asked.email if asked is not None else None,
            minutes=self.email_challenges.policy.ttl // 60,
            resent=resent,
            problem=problem,
        )
        return page(view, browser)

    def _button(self, token: str, flow: str | None) -> LinkPage:
        # the URL in the mail, so that a reload requests the same page
        return LinkPage(self.kind, f"{LINK_PATHS[self.kind]}?token={quote(token, safe='')}", token, flow)

    def _link_missed(self, browser: BrowserContext, missed: Missed, token: str) -> Response:
        if missed.why == "browser":
            view = LinkPage(self.kind, LINK_PATHS[self.kind], token[:200], wrong_browser=True)
            return page(view, browser)
        return page(ErrorPage(Failure.LINK_EXPIRED, ways=(self.start_way, Way.SIGN_IN)), browser, 410)


def to_ticket(
    browser: BrowserContext, path: str, ticket_id: str, flow: str | None, more: str = ""
) -> Response:
    """Redirect to a page that names the challenge."""
    return browser.go(with_flow(f"{path}?ticket={ticket_id}{more}", flow))
