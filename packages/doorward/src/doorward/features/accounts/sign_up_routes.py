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
from doorward.features.authn.factors.email_code.rules import Missed
from doorward.features.authn.factors.email_code.service import Tickets
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
from doorward.web.pages.views import sign_up as views
from doorward.web.pages.views.ends import ErrorPage, Failure, Way
from doorward.web.pages.views.problems import Problem, Wrong


@dataclass(frozen=True, slots=True)
class SignUpPages:
    """Every answer about an address is the same whether or not somebody has it (line 80)."""

    arrival: Arrival
    sign_up: SignUp
    verify: VerifyAddress
    tickets: Tickets

    async def ask(self, request: Request) -> Response:
        """The form."""
        visitor, params = await self.arrival.look(request)
        arrived = await self.arrival.flow(visitor, params.get("flow"))
        if isinstance(arrived, Response):
            return arrived
        visitor, sign_in = arrived
        hint = sign_in.request.login_hint if sign_in is not None and sign_in.request is not None else None
        view = views.SignUp(
            minimum=self._minimum(),
            flow=sign_in.id if sign_in else None,
            email=(hint or "")[:254],
            problem=went_stale(visitor, params),
        )
        return page(view, visitor)

    async def answer(self, request: Request) -> Response:
        """Address, password, perhaps a name. Raises `HashingBusy`."""
        visitor, form, ours = await self.arrival.act(request)
        email, password, name = form.get("email", ""), form.get("password", ""), form.get("name", "")
        if not ours:
            visitor, kept = await self.arrival.kept(visitor, form.get("flow"))
            return self._again(
                visitor, kept.id if kept else None, email, name, 403, problem=not_ours(visitor)
            )
        arrived = await self.arrival.flow(visitor, form.get("flow"))
        if isinstance(arrived, Response):
            return arrived
        visitor, sign_in = arrived
        flow = sign_in.id if sign_in else None
        outcome = await self.sign_up.begin(
            email=email,
            password=Secret(password),
            name=name,
            locale=visitor.context.locale,
            browser_hash=visitor.browser_hash,
            devices=visitor.devices,
            sign_in_id=flow,
            caller=visitor.caller,
            now=visitor.now,
        )
        if isinstance(outcome, Ticket):
            return self._to_check(visitor, outcome.id, flow)
        if isinstance(outcome, Wait):
            shown = self._again(visitor, flow, email, name, 429, problem=waiting(outcome))
            return busy(shown, outcome, visitor.now)
        return self._amiss(visitor, flow, email, name, outcome)

    async def check(self, request: Request) -> Response:
        """ "Check your mail": the same words whatever was sent."""
        visitor, params = await self.arrival.look(request)
        ticket_id = ticket_of(params)
        ticket = await self.tickets.held("sign_up", ticket_id, visitor.browser_hash) if ticket_id else None
        if ticket is None or ticket.used_at is not None:
            return self._over(visitor, params.get("flow"))
        return await self._check_page(visitor, ticket.id, params.get("flow"), resent="resent" in params)

    async def check_code(self, request: Request) -> Response:
        """The code from the mail."""
        visitor, form, ours = await self.arrival.act(request)
        ticket_id = ticket_of(request.query())
        flow = form.get("flow")
        if ticket_id is None:
            return self._over(visitor, flow)
        if not ours:
            return await self._check_again(visitor, ticket_id, flow)
        code = form.get("code", "")
        if not code.strip():
            return await self._check_page(
                visitor, ticket_id, flow, problem=Problem(Wrong.CODE_MISSING), status=400
            )
        outcome = await self.verify.by_code(
            ticket_id,
            code,
            browser_hash=visitor.browser_hash,
            devices=visitor.devices,
            caller=visitor.caller,
            now=visitor.now,
        )
        if isinstance(outcome, Verified):
            return await self._go_on(visitor, outcome)
        if isinstance(outcome, Wait):
            shown = await self._check_page(visitor, ticket_id, flow, problem=missed(outcome), status=429)
            return busy(shown, outcome, visitor.now)
        return await self._check_page(visitor, ticket_id, flow, problem=missed(outcome), status=400)

    async def resent(self, request: Request) -> Response:
        """Another mail was asked for, and the page is loaded again: where the form stands."""
        visitor, params = await self.arrival.look(request)
        ticket_id = ticket_of(params)
        if ticket_id is None:
            return self._over(visitor, params.get("flow"))
        return self._to_check(visitor, ticket_id, params.get("flow"))

    async def resend(self, request: Request) -> Response:
        """Another mail; the earlier one stops working."""
        visitor, form, ours = await self.arrival.act(request)
        ticket_id = ticket_of(request.query())
        flow = form.get("flow")
        if ticket_id is None:
            return self._over(visitor, flow)
        if not ours:
            return await self._check_again(visitor, ticket_id, flow)
        outcome = await self.sign_up.again(
            ticket_id,
            browser_hash=visitor.browser_hash,
            devices=visitor.devices,
            caller=visitor.caller,
            now=visitor.now,
        )
        if isinstance(outcome, Ticket):
            return self._to_check(visitor, outcome.id, flow, "&resent=1")
        if isinstance(outcome, Wait):
            shown = await self._check_page(visitor, ticket_id, flow, problem=waiting(outcome), status=429)
            return busy(shown, outcome, visitor.now)
        return self._over(visitor, flow)

    async def link(self, request: Request) -> Response:
        """The page behind the mailed link. It only shows a button: scanners open links, people press buttons."""
        visitor, params = await self.arrival.look(request)
        token = params.get("token", "")
        found = await self.tickets.by_link(
            "sign_up", token, browser_hash=visitor.browser_hash, now=visitor.now
        )
        if isinstance(found, Missed):
            return _link_missed(visitor, found, token)
        return page(views.LinkPage("sign_up", _link_action(token), token, found.sign_in_id), visitor)

    async def press(self, request: Request) -> Response:
        """The button behind the link."""
        visitor, form, ours = await self.arrival.act(request)
        token = form.get("token", "")
        if not ours:
            again = views.LinkPage(
                "sign_up", _link_action(token[:200]), token[:200], form.get("flow") or None
            )
            return page(again, visitor, 403)
        outcome = await self.verify.by_link(
            token, browser_hash=visitor.browser_hash, caller=visitor.caller, now=visitor.now
        )
        if isinstance(outcome, Verified):
            return await self._go_on(visitor, outcome)
        return _link_missed(visitor, outcome, token)

    async def _go_on(self, visitor: Visitor, verified: Verified) -> Response:
        sign_in = await self.arrival.steps.load(visitor, verified.ticket.sign_in_id)
        if isinstance(sign_in, Response):
            return sign_in
        visitor = await self.arrival.dress(visitor, sign_in)
        proven = await self.verify.go_on(sign_in, verified, visitor.now)
        if isinstance(proven, Refusal):
            return await self.arrival.steps.load_and_follow(visitor, sign_in.id)
        return await self.arrival.steps.follow(visitor, proven)

    async def _check_again(self, visitor: Visitor, ticket_id: str, flow: str | None) -> Response:
        """For a form that is not ours. The code is bound to the browser that asked for it: one with another cookie begins again."""
        lost = await self.tickets.held("sign_up", ticket_id, visitor.browser_hash) is None
        onward = await self.arrival.onward(visitor, flow, "/sign-up", lost=lost)
        return onward or await self._check_page(
            visitor, ticket_id, flow, problem=not_ours(visitor), status=403
        )

    def _over(self, visitor: Visitor, flow: str | None) -> Response:
        # An expired step never shows a page: it begins again.
        return visitor.dress(redirect(self.arrival.steps.link(with_flow("/sign-up", flow))))

    def _to_check(self, visitor: Visitor, ticket_id: str, flow: str | None, more: str = "") -> Response:
        target = with_flow(f"/sign-up/check?ticket={ticket_id}{more}", flow)
        return visitor.dress(redirect(self.arrival.steps.link(target)))

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
        asked = await self.tickets.held("sign_up", ticket_id, visitor.browser_hash)
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
        return page(view, visitor, status)

    def _amiss(self, visitor: Visitor, flow: str | None, email: str, name: str, amiss: Amiss) -> Response:
        wrong_email = Wrong.EMAIL_INVALID if email.strip() else Wrong.EMAIL_MISSING
        if amiss.beyond_ascii:
            wrong_email = Wrong.EMAIL_BEYOND_ASCII
        return self._again(
            visitor,
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
        visitor: Visitor,
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
        return page(view, visitor, status)

    def _minimum(self) -> int:
        return self.sign_up.judge.minimum(second_factor=False)


def _link_action(token: str) -> str:
    # the address that the mail named: what a reload asks for
    return f"/verify?token={quote(token, safe='')}"


def _link_missed(visitor: Visitor, missed: Missed, token: str) -> Response:
    if missed.why == "browser":
        return page(views.LinkPage("sign_up", "/verify", token[:200], wrong_browser=True), visitor)
    return page(ErrorPage(Failure.LINK_EXPIRED, ways=(Way.SIGN_UP, Way.SIGN_IN)), visitor, 410)


def routes(*, arrival: Arrival, sign_up: SignUp, verify: VerifyAddress, tickets: Tickets) -> list[Route]:
    """The paths on the way to an account."""
    pages = SignUpPages(arrival, sign_up, verify, tickets)
    return [
        route("/sign-up", "GET", pages.ask, page=True),
        route("/sign-up", "POST", pages.answer, page=True),
        route("/sign-up/check", "GET", pages.check, page=True),
        route("/sign-up/check", "POST", pages.check_code, page=True),
        route("/sign-up/resend", "GET", pages.resent, page=True),
        route("/sign-up/resend", "POST", pages.resend, page=True),
        route("/verify", "GET", pages.link, page=True),
        route("/verify", "POST", pages.press, page=True),
    ]
