"""/reset, /reset/check, /reset/resend, /reset/link and /reset/new: a new password for who reads the mail box."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from doorward.core.model.message import Ticket
from doorward.core.model.secret import Secret
from doorward.features.accounts.reset_password import BadAddress, Reset, ResetPassword
from doorward.features.authn.factors.email_code.problems import missed, waiting
from doorward.features.authn.factors.email_code.rules import Missed
from doorward.features.authn.factors.password.problems import weak
from doorward.features.authn.factors.password.rules.password import Weak
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
from doorward.web.pages.views import reset as views
from doorward.web.pages.views.ends import ErrorPage, Failure, Way
from doorward.web.pages.views.problems import Problem, Wrong
from doorward.web.pages.views.sign_up import CheckMail, LinkPage
from doorward.web.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPages:
    """Every answer about an address is the same whether or not somebody has it (line 80)."""

    flow: FlowPages
    reset: ResetPassword

    async def ask(self, visit: PageVisit) -> Response:
        """The form."""
        browser, sign_in = await self.flow.current(visit.browser, visit.query.get("flow"))
        hint = sign_in.request.login_hint if sign_in is not None and sign_in.request is not None else None
        view = views.ResetAsk(
            flow=sign_in.id if sign_in else None,
            email=(hint or "")[:254],
            problem=said_stale(browser, visit.query),
        )
        return page(view, browser)

    async def ask_again(self, post: StalePost) -> Response:
        """The form, with the address that was typed."""
        browser, kept = await self.flow.kept(post.browser, post.form.get("flow"))
        email = post.form.get("email", "")
        view = views.ResetAsk(flow=kept.id if kept else None, email=email[:254], problem=post.problem)
        return page(view, browser, 403)

    async def answer(self, post: PagePost) -> Response:
        """An address."""
        email = post.form.get("email", "")
        browser, sign_in = await self.flow.current(post.browser, post.form.get("flow"))
        flow = sign_in.id if sign_in else None
        outcome = await self.reset.ask(
            email=email,
            locale=browser.context.locale,
            browser_hash=browser.browser_hash,
            devices=browser.devices,
            sign_in_id=flow,
            caller=browser.caller,
            now=browser.now,
        )
        if isinstance(outcome, Ticket):
            return _to("/reset/check", browser, outcome.id, flow)
        if isinstance(outcome, Wait):
            view = views.ResetAsk(flow=flow, email=email[:254], problem=waiting(outcome))
            return busy(page(view, browser, 429), outcome.until, browser.now)
        wrong = (
            Wrong.EMAIL_INVALID if isinstance(outcome, BadAddress) and email.strip() else Wrong.EMAIL_MISSING
        )
        view = views.ResetAsk(flow=flow, email=email[:254], email_problem=Problem(wrong))
        return page(view, browser, 400)

    async def check(self, visit: PageVisit) -> Response:
        """ "Check your mail": the same words whatever was sent."""
        browser, query = visit.browser, visit.query
        ticket_id = ticket_of(query)
        if ticket_id is None or not await self._open(browser, ticket_id):
            return _over(browser, query.get("flow"))
        return await self._check_page(browser, ticket_id, query.get("flow"), resent="resent" in query)

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
        outcome = await self.reset.by_code(
            ticket_id,
            code,
            browser_hash=browser.browser_hash,
            devices=browser.devices,
            address=browser.address,
            now=browser.now,
        )
        if isinstance(outcome, Ticket):
            return _to("/reset/new", browser, outcome.id, flow)
        if isinstance(outcome, Wait):
            shown = await self._check_page(browser, ticket_id, flow, problem=missed(outcome), status=429)
            return busy(shown, outcome.until, browser.now)
        return await self._check_page(browser, ticket_id, flow, problem=missed(outcome), status=400)

    async def check_again(self, post: StalePost) -> Response:
        """The form for the code. The code is bound to the browser that asked for it: one with another cookie begins again."""
        browser, ticket_id, flow = post.browser, ticket_of(post.query), post.form.get("flow")
        if ticket_id is None:
            return _over(browser, flow)
        lost = await self.reset.tickets.held("reset", ticket_id, browser.browser_hash) is None
        await self.flow.lead_onward(browser, flow, "/reset", lost=lost)
        return await self._check_page(browser, ticket_id, flow, problem=post.problem, status=403)

    async def resent(self, visit: PageVisit) -> Response:
        """Another mail was asked for, and the page is loaded again: where the form stands."""
        browser, ticket_id, flow = visit.browser, ticket_of(visit.query), visit.query.get("flow")
        return _over(browser, flow) if ticket_id is None else _to("/reset/check", browser, ticket_id, flow)

    async def resend(self, post: PagePost) -> Response:
        """Another mail; the earlier one stops working."""
        browser, ticket_id, flow = post.browser, ticket_of(post.query), post.form.get("flow")
        if ticket_id is None:
            return _over(browser, flow)
        outcome = await self.reset.again(
            ticket_id,
            locale=browser.context.locale,
            browser_hash=browser.browser_hash,
            devices=browser.devices,
            caller=browser.caller,
            now=browser.now,
        )
        if isinstance(outcome, Ticket):
            return _to("/reset/check", browser, outcome.id, flow, "&resent=1")
        if isinstance(outcome, Wait):
            shown = await self._check_page(browser, ticket_id, flow, problem=waiting(outcome), status=429)
            return busy(shown, outcome.until, browser.now)
        return _over(browser, flow)

    async def link(self, visit: PageVisit) -> Response:
        """The page behind the mailed link: a button, since scanners open links."""
        browser, token = visit.browser, visit.query.get("token", "")
        found = await self.reset.tickets.by_link(
            "reset", token, browser_hash=browser.browser_hash, now=browser.now
        )
        if isinstance(found, Missed):
            return _link_missed(browser, found, token)
        return page(LinkPage("reset", _link_action(token), token, found.sign_in_id), browser)

    async def press(self, post: PagePost) -> Response:
        """The button behind the link."""
        browser, token = post.browser, post.form.get("token", "")
        outcome = await self.reset.by_link(token, browser_hash=browser.browser_hash, now=browser.now)
        if isinstance(outcome, Ticket):
            return _to("/reset/new", browser, outcome.id, outcome.sign_in_id)
        return _link_missed(browser, outcome, token)

    async def press_again(self, post: StalePost) -> Response:
        """The button once more."""
        token, flow = post.form.get("token", "")[:200], post.form.get("flow")
        return page(LinkPage("reset", _link_action(token), token, flow or None), post.browser, 403)

    async def ask_new(self, visit: PageVisit) -> Response:
        """The form for the new password."""
        return await self._new_page(visit.browser, ticket_of(visit.query), visit.query.get("flow"))

    async def answer_new(self, post: PagePost) -> Response:
        """The new password. What follows is the sign-in page: a reset alone signs nobody in. Raises `HashingBusy`."""
        browser, ticket_id, flow = post.browser, ticket_of(post.query), post.form.get("flow")
        ends = post.form.get("end_sessions") == "yes"
        if ticket_id is None:
            return _over(browser, flow)
        outcome = await self.reset.set(
            ticket_id,
            Secret(post.form.get("password", "")),
            end_sessions=ends,
            browser_hash=browser.browser_hash,
            devices=browser.devices,
            caller=browser.caller,
            now=browser.now,
        )
        if isinstance(outcome, Weak):
            return await self._new_page(
                browser, ticket_id, flow, ends=ends, password_problem=weak(outcome), status=400
            )
        if isinstance(outcome, Reset):
            browser.remember_device(outcome.device_secret)
            return _to("/sign-in", browser, ticket_id, flow, "&reset=1")
        return _over(browser, flow)

    async def ask_new_again(self, post: StalePost) -> Response:
        """The form for the new password once more, for the browser that the ticket is bound to."""
        browser, ticket_id, flow = post.browser, ticket_of(post.query), post.form.get("flow")
        if ticket_id is None:
            return _over(browser, flow)
        lost = await self.reset.tickets.held("reset", ticket_id, browser.browser_hash) is None
        await self.flow.lead_onward(browser, flow, "/reset", lost=lost)
        return await self._new_page(browser, ticket_id, flow, problem=post.problem, status=403)

    async def _new_page(
        self,
        browser: BrowserContext,
        ticket_id: str | None,
        flow: str | None,
        *,
        ends: bool = True,
        problem: Problem | None = None,
        password_problem: Problem | None = None,
        status: int = 200,
    ) -> Response:
        opened = await self.reset.open(ticket_id, browser.browser_hash, browser.now) if ticket_id else None
        if opened is None:
            return _over(browser, flow)
        ticket, account, minimum = opened
        view = views.ResetNew(
            account=account.email,
            minimum=minimum,
            flow=flow or None,
            action=f"/reset/new?ticket={ticket.id}",
            end_sessions=ends,
            problem=problem,
            password_problem=password_problem,
        )
        return page(view, browser, status)

    async def _open(self, browser: BrowserContext, ticket_id: str) -> bool:
        ticket = await self.reset.tickets.held("reset", ticket_id, browser.browser_hash)
        return ticket is not None and ticket.used_at is None and ticket.proven_at is None

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
        asked = await self.reset.tickets.held("reset", ticket_id, browser.browser_hash)
        view = CheckMail(
            purpose="reset",
            action=f"/reset/check?ticket={ticket_id}",
            resend_action=f"/reset/resend?ticket={ticket_id}",
            flow=flow or None,
            email=asked.email if asked is not None else None,
            minutes=self.reset.code_life // 60,
            resent=resent,
            problem=problem,
        )
        return page(view, browser, status)


def _over(browser: BrowserContext, flow: str | None) -> Response:
    # An expired step never shows a page: it begins again.
    return browser.go(with_flow("/reset", flow))


def _to(path: str, browser: BrowserContext, ticket_id: str, flow: str | None, more: str = "") -> Response:
    return browser.go(with_flow(f"{path}?ticket={ticket_id}{more}", flow))


def _link_action(token: str) -> str:
    # the address that the mail named: what a reload asks for
    return f"/reset/link?token={quote(token, safe='')}"


def _link_missed(browser: BrowserContext, missed: Missed, token: str) -> Response:
    if missed.why == "browser":
        return page(LinkPage("reset", "/reset/link", token[:200], wrong_browser=True), browser)
    return page(ErrorPage(Failure.LINK_EXPIRED, ways=(Way.RESET, Way.SIGN_IN)), browser, 410)


def routes(*, pages: BrowserPages, flow: FlowPages, reset: ResetPassword) -> list[Route]:
    """The five paths."""
    on = ResetPages(flow=flow, reset=reset)
    return [
        pages.get("/reset", on.ask),
        pages.post("/reset", on.answer, refused=on.ask_again),
        pages.get("/reset/check", on.check),
        pages.post("/reset/check", on.check_code, refused=on.check_again),
        pages.get("/reset/resend", on.resent),
        pages.post("/reset/resend", on.resend, refused=on.check_again),
        pages.get("/reset/link", on.link),
        pages.post("/reset/link", on.press, refused=on.press_again),
        pages.get("/reset/new", on.ask_new),
        pages.post("/reset/new", on.answer_new, refused=on.ask_new_again),
    ]
