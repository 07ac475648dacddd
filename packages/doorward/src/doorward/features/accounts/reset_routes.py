"""/reset, /reset/check, /reset/resend, /reset/link and /reset/new: a new password for who reads the mail box."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from doorward.core.model.message import Ticket
from doorward.core.model.secret import Secret
from doorward.features.accounts.reset_password import BadAddress, Reset, ResetPassword
from doorward.features.authn.factors.email_code.rules import Missed
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.authn.flow.page_pipeline import (
    Arrival,
    busy,
    missed,
    not_ours,
    ticket_of,
    waiting,
    weak,
    went_stale,
    with_flow,
)
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.browser_context import Visitor
from doorward.web.http import Request, Response, Route, redirect, route
from doorward.web.page import page
from doorward.web.pages.views import reset as views
from doorward.web.pages.views.ends import ErrorPage, Failure, Way
from doorward.web.pages.views.problems import Problem, Wrong
from doorward.web.pages.views.sign_up import CheckMail, LinkPage


@dataclass(frozen=True, slots=True)
class ResetPages:
    """Every answer about an address is the same whether or not somebody has it (line 80)."""

    arrival: Arrival
    reset: ResetPassword

    async def ask(self, request: Request) -> Response:
        """The form."""
        visitor, params = await self.arrival.look(request)
        arrived = await self.arrival.flow(visitor, params.get("flow"))
        if isinstance(arrived, Response):
            return arrived
        visitor, sign_in = arrived
        hint = sign_in.request.login_hint if sign_in is not None and sign_in.request is not None else None
        view = views.ResetAsk(
            flow=sign_in.id if sign_in else None,
            email=(hint or "")[:254],
            problem=went_stale(visitor, params),
        )
        return page(view, visitor)

    async def answer(self, request: Request) -> Response:
        """An address."""
        visitor, form, ours = await self.arrival.act(request)
        email = form.get("email", "")
        if not ours:
            visitor, kept = await self.arrival.kept(visitor, form.get("flow"))
            view = views.ResetAsk(
                flow=kept.id if kept else None, email=email[:254], problem=not_ours(visitor)
            )
            return page(view, visitor, 403)
        arrived = await self.arrival.flow(visitor, form.get("flow"))
        if isinstance(arrived, Response):
            return arrived
        visitor, sign_in = arrived
        flow = sign_in.id if sign_in else None
        outcome = await self.reset.ask(
            email=email,
            locale=visitor.context.locale,
            browser_hash=visitor.browser_hash,
            devices=visitor.devices,
            sign_in_id=flow,
            caller=visitor.caller,
            now=visitor.now,
        )
        if isinstance(outcome, Ticket):
            return self._to("/reset/check", visitor, outcome.id, flow)
        if isinstance(outcome, Wait):
            view = views.ResetAsk(flow=flow, email=email[:254], problem=waiting(outcome))
            return busy(page(view, visitor, 429), outcome, visitor.now)
        wrong = (
            Wrong.EMAIL_INVALID if isinstance(outcome, BadAddress) and email.strip() else Wrong.EMAIL_MISSING
        )
        view = views.ResetAsk(flow=flow, email=email[:254], email_problem=Problem(wrong))
        return page(view, visitor, 400)

    async def check(self, request: Request) -> Response:
        """ "Check your mail": the same words whatever was sent."""
        visitor, params = await self.arrival.look(request)
        ticket_id = ticket_of(params)
        if ticket_id is None or not await self._open(visitor, ticket_id):
            return self._over(visitor, params.get("flow"))
        return await self._check_page(visitor, ticket_id, params.get("flow"), resent="resent" in params)

    async def check_code(self, request: Request) -> Response:
        """The code from the mail."""
        visitor, form, ours = await self.arrival.act(request)
        ticket_id, flow = ticket_of(request.query()), form.get("flow")
        if ticket_id is None:
            return self._over(visitor, flow)
        if not ours:
            return await self._check_again(visitor, ticket_id, flow)
        code = form.get("code", "")
        if not code.strip():
            return await self._check_page(
                visitor, ticket_id, flow, problem=Problem(Wrong.CODE_MISSING), status=400
            )
        outcome = await self.reset.by_code(
            ticket_id,
            code,
            browser_hash=visitor.browser_hash,
            devices=visitor.devices,
            address=visitor.address,
            now=visitor.now,
        )
        if isinstance(outcome, Ticket):
            return self._to("/reset/new", visitor, outcome.id, flow)
        if isinstance(outcome, Wait):
            shown = await self._check_page(visitor, ticket_id, flow, problem=missed(outcome), status=429)
            return busy(shown, outcome, visitor.now)
        return await self._check_page(visitor, ticket_id, flow, problem=missed(outcome), status=400)

    async def resent(self, request: Request) -> Response:
        """Another mail was asked for, and the page is loaded again: where the form stands."""
        visitor, params = await self.arrival.look(request)
        ticket_id, flow = ticket_of(params), params.get("flow")
        return (
            self._over(visitor, flow)
            if ticket_id is None
            else self._to("/reset/check", visitor, ticket_id, flow)
        )

    async def resend(self, request: Request) -> Response:
        """Another mail; the earlier one stops working."""
        visitor, form, ours = await self.arrival.act(request)
        ticket_id, flow = ticket_of(request.query()), form.get("flow")
        if ticket_id is None:
            return self._over(visitor, flow)
        if not ours:
            return await self._check_again(visitor, ticket_id, flow)
        outcome = await self.reset.again(
            ticket_id,
            locale=visitor.context.locale,
            browser_hash=visitor.browser_hash,
            devices=visitor.devices,
            caller=visitor.caller,
            now=visitor.now,
        )
        if isinstance(outcome, Ticket):
            return self._to("/reset/check", visitor, outcome.id, flow, "&resent=1")
        if isinstance(outcome, Wait):
            shown = await self._check_page(visitor, ticket_id, flow, problem=waiting(outcome), status=429)
            return busy(shown, outcome, visitor.now)
        return self._over(visitor, flow)

    async def link(self, request: Request) -> Response:
        """The page behind the mailed link: a button, since scanners open links."""
        visitor, params = await self.arrival.look(request)
        token = params.get("token", "")
        found = await self.reset.tickets.by_link(
            "reset", token, browser_hash=visitor.browser_hash, now=visitor.now
        )
        if isinstance(found, Missed):
            return _link_missed(visitor, found, token)
        return page(LinkPage("reset", _link_action(token), token, found.sign_in_id), visitor)

    async def press(self, request: Request) -> Response:
        """The button behind the link."""
        visitor, form, ours = await self.arrival.act(request)
        token, flow = form.get("token", ""), form.get("flow")
        if not ours:
            return page(LinkPage("reset", _link_action(token[:200]), token[:200], flow or None), visitor, 403)
        outcome = await self.reset.by_link(token, browser_hash=visitor.browser_hash, now=visitor.now)
        if isinstance(outcome, Ticket):
            return self._to("/reset/new", visitor, outcome.id, outcome.sign_in_id)
        return _link_missed(visitor, outcome, token)

    async def ask_new(self, request: Request) -> Response:
        """The form for the new password."""
        visitor, params = await self.arrival.look(request)
        return await self._new_page(visitor, ticket_of(params), params.get("flow"))

    async def answer_new(self, request: Request) -> Response:
        """The new password. What follows is the sign-in page: a reset alone signs nobody in. Raises `HashingBusy`."""
        visitor, form, ours = await self.arrival.act(request)
        ticket_id, flow = ticket_of(request.query()), form.get("flow")
        ends = form.get("end_sessions") == "yes"
        if ticket_id is None:
            return self._over(visitor, flow)
        if not ours:
            lost = await self.reset.tickets.held("reset", ticket_id, visitor.browser_hash) is None
            onward = await self.arrival.onward(visitor, flow, "/reset", lost=lost)
            return onward or await self._new_page(
                visitor, ticket_id, flow, problem=not_ours(visitor), status=403
            )
        outcome = await self.reset.set(
            ticket_id,
            Secret(form.get("password", "")),
            end_sessions=ends,
            browser_hash=visitor.browser_hash,
            devices=visitor.devices,
            caller=visitor.caller,
            now=visitor.now,
        )
        if isinstance(outcome, Weak):
            return await self._new_page(
                visitor, ticket_id, flow, ends=ends, password_problem=weak(outcome), status=400
            )
        if isinstance(outcome, Reset):
            visitor.remember_device(outcome.device_secret)
            return self._to("/sign-in", visitor, ticket_id, flow, "&reset=1")
        return self._over(visitor, flow)

    async def _new_page(
        self,
        visitor: Visitor,
        ticket_id: str | None,
        flow: str | None,
        *,
        ends: bool = True,
        problem: Problem | None = None,
        password_problem: Problem | None = None,
        status: int = 200,
    ) -> Response:
        opened = await self.reset.open(ticket_id, visitor.browser_hash, visitor.now) if ticket_id else None
        if opened is None:
            return self._over(visitor, flow)
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
        return page(view, visitor, status)

    async def _open(self, visitor: Visitor, ticket_id: str) -> bool:
        ticket = await self.reset.tickets.held("reset", ticket_id, visitor.browser_hash)
        return ticket is not None and ticket.used_at is None and ticket.proven_at is None

    async def _check_page(
        self,
        visitor: Visitor,
        ticket_id: str,
        flow: str | None,
        *,
        resent: bool = False,
        problem: Problem | None = None,
        status: int = 200,
    ) -> Response:
        asked = await self.reset.tickets.held("reset", ticket_id, visitor.browser_hash)
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
        return page(view, visitor, status)

    async def _check_again(self, visitor: Visitor, ticket_id: str, flow: str | None) -> Response:
        """For a form that is not ours. The code is bound to the browser that asked for it: one with another cookie begins again."""
        lost = await self.reset.tickets.held("reset", ticket_id, visitor.browser_hash) is None
        onward = await self.arrival.onward(visitor, flow, "/reset", lost=lost)
        return onward or await self._check_page(
            visitor, ticket_id, flow, problem=not_ours(visitor), status=403
        )

    def _over(self, visitor: Visitor, flow: str | None) -> Response:
        # An expired step never shows a page: it begins again.
        return visitor.dress(redirect(self.arrival.steps.link(with_flow("/reset", flow))))

    def _to(self, path: str, visitor: Visitor, ticket_id: str, flow: str | None, more: str = "") -> Response:
        target = with_flow(f"{path}?ticket={ticket_id}{more}", flow)
        return visitor.dress(redirect(self.arrival.steps.link(target)))


def _link_action(token: str) -> str:
    # the address that the mail named: what a reload asks for
    return f"/reset/link?token={quote(token, safe='')}"


def _link_missed(visitor: Visitor, missed: Missed, token: str) -> Response:
    if missed.why == "browser":
        return page(LinkPage("reset", "/reset/link", token[:200], wrong_browser=True), visitor)
    return page(ErrorPage(Failure.LINK_EXPIRED, ways=(Way.RESET, Way.SIGN_IN)), visitor, 410)


def routes(*, arrival: Arrival, reset: ResetPassword) -> list[Route]:
    """The five paths."""
    pages = ResetPages(arrival, reset)
    return [
        route("/reset", "GET", pages.ask, page=True),
        route("/reset", "POST", pages.answer, page=True),
        route("/reset/check", "GET", pages.check, page=True),
        route("/reset/check", "POST", pages.check_code, page=True),
        route("/reset/resend", "GET", pages.resent, page=True),
        route("/reset/resend", "POST", pages.resend, page=True),
        route("/reset/link", "GET", pages.link, page=True),
        route("/reset/link", "POST", pages.press, page=True),
        route("/reset/new", "GET", pages.ask_new, page=True),
        route("/reset/new", "POST", pages.answer_new, page=True),
    ]
