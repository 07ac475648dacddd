"""/sign-up, /sign-up/check, /sign-up/resend and /verify: on the way to an account."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from doorward.core.errors import Refusal
from doorward.core.login_name import MAX_NAME
from doorward.core.model.message import Ticket
from doorward.core.model.secret import Secret
from doorward.features.accounts.sign_up import Amiss, SignUp
from doorward.features.accounts.verify_address import Verified, VerifyAddress
from doorward.features.authn.factors.email_code.problems import missed, waiting
from doorward.features.authn.factors.email_code.rules import Missed
from doorward.features.authn.factors.email_code.service import Tickets
from doorward.features.authn.factors.password.problems import weak
from doorward.features.authn.flow.pages import FlowPages, said_stale, ticket_of, with_flow
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.web.http import Response
from doorward.web.page import busy, page
from doorward.web.pages.views import sign_up as views
from doorward.web.pages.views.ends import ErrorPage, Failure, Way
from doorward.web.pages.views.problems import Problem, Wrong
from doorward.web.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpPages:
    """Every answer about an address is the same whether or not somebody has it (line 80)."""

    flow: FlowPages
    sign_up: SignUp
    verify: VerifyAddress
    tickets: Tickets

    async def ask(self, visit: PageVisit) -> Response:
        """The form."""
        browser, sign_in = await self.flow.current(visit.browser, visit.query.get("flow"))
        hint = sign_in.request.login_hint if sign_in is not None and sign_in.request is not None else None
        view = views.SignUp(
            minimum=self._minimum(),
            flow=sign_in.id if sign_in else None,
            email=(hint or "")[:254],
            problem=said_stale(browser, visit.query),
        )
        return page(view, browser)

    async def ask_again(self, post: StalePost) -> Response:
        """The form, with what was typed but the password."""
        browser, kept = await self.flow.kept(post.browser, post.form.get("flow"))
        email, name = post.form.get("email", ""), post.form.get("name", "")
        return self._again(browser, kept.id if kept else None, email, name, 403, problem=post.problem)

    async def answer(self, post: PagePost) -> Response:
        """Address, password, perhaps a name. Raises `HashingBusy`."""
        form = post.form
        email, password, name = form.get("email", ""), form.get("password", ""), form.get("name", "")
        browser, sign_in = await self.flow.current(post.browser, form.get("flow"))
        flow = sign_in.id if sign_in else None
        outcome = await self.sign_up.begin(
            email=email,
            password=Secret(password),
            name=name,
            locale=browser.context.locale,
            browser_hash=browser.browser_hash,
            devices=browser.devices,
            sign_in_id=flow,
            caller=browser.caller,
            now=browser.now,
        )
        if isinstance(outcome, Ticket):
            return _to_check(browser, outcome.id, flow)
        if isinstance(outcome, Wait):
            shown = self._again(browser, flow, email, name, 429, problem=waiting(outcome))
            return busy(shown, outcome.until, browser.now)
        return self._amiss(browser, flow, email, name, outcome)

    async def check(self, visit: PageVisit) -> Response:
        """ "Check your mail": the same words whatever was sent."""
        browser, query = visit.browser, visit.query
        ticket_id = ticket_of(query)
        ticket = await self.tickets.held("sign_up", ticket_id, browser.browser_hash) if ticket_id else None
        if ticket is None or ticket.used_at is not None:
            return _over(browser, query.get("flow"))
        return await self._check_page(browser, ticket.id, query.get("flow"), resent="resent" in query)

    async def check_code(self, post: PagePost) -> Response:
        """The code from the mail."""
        browser, ticket_id, flow = post.browser, ticket_of(post.query), post.form.get("flow")
        if ticket_id is None:
            return _over(browser, flow)
        code = post.form.get("code", "")
        if not code.strip():
            return await self._check_page(
                browser, ticket_id, flow, problem=Problem(Wrong.CODE_MISSING), status=400
            )
        outcome = await self.verify.by_code(
            ticket_id,
            code,
            browser_hash=browser.browser_hash,
            devices=browser.devices,
            caller=browser.caller,
            now=browser.now,
        )
        if isinstance(outcome, Verified):
            return await self._go_on(browser, outcome)
        if isinstance(outcome, Wait):
            shown = await self._check_page(browser, ticket_id, flow, problem=missed(outcome), status=429)
            return busy(shown, outcome.until, browser.now)
        return await self._check_page(browser, ticket_id, flow, problem=missed(outcome), status=400)

    async def check_again(self, post: StalePost) -> Response:
        """The form for the code. The code is bound to the browser that asked for it: one with another cookie begins again."""
        browser, ticket_id, flow = post.browser, ticket_of(post.query), post.form.get("flow")
        if ticket_id is None:
            return _over(browser, flow)
        lost = await self.tickets.held("sign_up", ticket_id, browser.browser_hash) is None
        await self.flow.lead_onward(browser, flow, "/sign-up", lost=lost)
        return await self._check_page(browser, ticket_id, flow, problem=post.problem, status=403)

    async def resent(self, visit: PageVisit) -> Response:
        """Another mail was asked for, and the page is loaded again: where the form stands."""
        browser, ticket_id, flow = visit.browser, ticket_of(visit.query), visit.query.get("flow")
        return _over(browser, flow) if ticket_id is None else _to_check(browser, ticket_id, flow)

    async def resend(self, post: PagePost) -> Response:
        """Another mail; the earlier one stops working."""
        browser, ticket_id, flow = post.browser, ticket_of(post.query), post.form.get("flow")
        if ticket_id is None:
            return _over(browser, flow)
        outcome = await self.sign_up.again(
            ticket_id,
            browser_hash=browser.browser_hash,
            devices=browser.devices,
            caller=browser.caller,
            now=browser.now,
        )
        if isinstance(outcome, Ticket):
            return _to_check(browser, outcome.id, flow, "&resent=1")
        if isinstance(outcome, Wait):
            shown = await self._check_page(browser, ticket_id, flow, problem=waiting(outcome), status=429)
            return busy(shown, outcome.until, browser.now)
        return _over(browser, flow)

    async def link(self, visit: PageVisit) -> Response:
        """The page behind the mailed link. It only shows a button: scanners open links, people press buttons."""
        browser, token = visit.browser, visit.query.get("token", "")
        found = await self.tickets.by_link(
            "sign_up", token, browser_hash=browser.browser_hash, now=browser.now
        )
        if isinstance(found, Missed):
            return _link_missed(browser, found, token)
        return page(views.LinkPage("sign_up", _link_action(token), token, found.sign_in_id), browser)

    async def press(self, post: PagePost) -> Response:
        """The button behind the link."""
        browser, token = post.browser, post.form.get("token", "")
        outcome = await self.verify.by_link(
            token, browser_hash=browser.browser_hash, caller=browser.caller, now=browser.now
        )
        if isinstance(outcome, Verified):
            return await self._go_on(browser, outcome)
        return _link_missed(browser, outcome, token)

    async def press_again(self, post: StalePost) -> Response:
        """The button once more."""
        token, flow = post.form.get("token", "")[:200], post.form.get("flow")
        return page(views.LinkPage("sign_up", _link_action(token), token, flow or None), post.browser, 403)

    async def _go_on(self, browser: BrowserContext, verified: Verified) -> Response:
        sign_in = await self.flow.load(browser, verified.ticket.sign_in_id)
        browser = self.flow.for_app_of(browser, sign_in)
        proven = await self.verify.go_on(sign_in, verified, browser.now)
        if isinstance(proven, Refusal):
            return await self.flow.load_and_follow(browser, sign_in.id)
        return await self.flow.follow(browser, proven)

    async def _check_page(
        self,
        browser: BrowserContext,
        ticket_id: str,
        flow: str | None,
        *,
        resent: bool = False,
        problem: Problem | None = None,
        status: int = 200,
    ) -> Response:
        asked = await self.tickets.held("sign_up", ticket_id, browser.browser_hash)
        view = views.CheckMail(
            purpose="sign_up",
            action=f"/sign-up/check?ticket={ticket_id}",
            resend_action=f"/sign-up/resend?ticket={ticket_id}",
            flow=flow or None,
            email=asked.email if asked is not None else None,
            minutes=self.tickets.policy.ttl // 60,
            resent=resent,
            problem=problem,
        )
        return page(view, browser, status)

    def _amiss(
        self, browser: BrowserContext, flow: str | None, email: str, name: str, amiss: Amiss
    ) -> Response:
        wrong_email = Wrong.EMAIL_INVALID if email.strip() else Wrong.EMAIL_MISSING
        if amiss.beyond_ascii:
            wrong_email = Wrong.EMAIL_BEYOND_ASCII
        return self._again(
            browser,
            flow,
            email,
            name,
            400,
            email_problem=Problem(wrong_email) if amiss.email or amiss.beyond_ascii else None,
            name_problem=Problem(Wrong.NAME_TOO_LONG, number=MAX_NAME) if amiss.name else None,
            password_problem=weak(amiss.password) if amiss.password else None,
        )

    def _again(
        self,
        browser: BrowserContext,
        flow: str | None,
        email: str,
        name: str,
        status: int,
        *,
        problem: Problem | None = None,
        email_problem: Problem | None = None,
        name_problem: Problem | None = None,
        password_problem: Problem | None = None,
    ) -> Response:
        view = views.SignUp(
            minimum=self._minimum(),
            flow=flow,
            email=email[:254],
            name=name[:254],
            problem=problem,
            email_problem=email_problem,
            password_problem=password_problem,
            name_problem=name_problem,
        )
        return page(view, browser, status)

    def _minimum(self) -> int:
        return self.sign_up.judge.minimum(second_factor=False)


def _over(browser: BrowserContext, flow: str | None) -> Response:
    # An expired step never shows a page: it begins again.
    return browser.go(with_flow("/sign-up", flow))


def _to_check(browser: BrowserContext, ticket_id: str, flow: str | None, more: str = "") -> Response:
    return browser.go(with_flow(f"/sign-up/check?ticket={ticket_id}{more}", flow))


def _link_action(token: str) -> str:
    # the address that the mail named: what a reload asks for
    return f"/verify?token={quote(token, safe='')}"


def _link_missed(browser: BrowserContext, missed: Missed, token: str) -> Response:
    if missed.why == "browser":
        return page(views.LinkPage("sign_up", "/verify", token[:200], wrong_browser=True), browser)
    return page(ErrorPage(Failure.LINK_EXPIRED, ways=(Way.SIGN_UP, Way.SIGN_IN)), browser, 410)


def routes(
    *, pages: BrowserPages, flow: FlowPages, sign_up: SignUp, verify: VerifyAddress, tickets: Tickets
) -> list[Route]:
    """The paths on the way to an account."""
    on = SignUpPages(flow=flow, sign_up=sign_up, verify=verify, tickets=tickets)
    return [
        pages.get("/sign-up", on.ask),
        pages.post("/sign-up", on.answer, refused=on.ask_again),
        pages.get("/sign-up/check", on.check),
        pages.post("/sign-up/check", on.check_code, refused=on.check_again),
        pages.get("/sign-up/resend", on.resent),
        pages.post("/sign-up/resend", on.resend, refused=on.check_again),
        pages.get("/verify", on.link),
        pages.post("/verify", on.press, refused=on.press_again),
    ]
