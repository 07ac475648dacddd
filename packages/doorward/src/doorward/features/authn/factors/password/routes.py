"""/sign-in and /sign-in/code: the pages on which people prove who they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from doorward.core.errors import Refusal
from doorward.core.model.secret import Secret
from doorward.core.model.signin import SignIn
from doorward.core.ports.store import Store
from doorward.features.authn.factors.email_code.service import Tickets
from doorward.features.authn.factors.password.service import DISABLED, ProvePassword
from doorward.features.authn.factors.recovery_codes import rules as recovery_code
from doorward.features.authn.factors.totp.service import ProveSecondFactor
from doorward.features.authn.flow.page_pipeline import Arrival, busy, not_ours, ticket_of, went_stale
from doorward.features.authn.flow.rules.assurance import SECOND_FACTORS, counting
from doorward.features.sessions.browser_context import Visitor
from doorward.web.http import Request, Response, Route, redirect, route
from doorward.web.page import page
from doorward.web.pages.views import sign_in as views
from doorward.web.pages.views.problems import Problem, Wrong

WRONG_STATUS: Final = 400
"""Of a page that shows the form again: the same for unknown people, wrong passwords and disabled accounts (line 80)."""

FORGED_STATUS: Final = 403
_Method = Literal["authenticator", "recovery"]


@dataclass(frozen=True, slots=True)
class SignInPages:
    """GET and POST of both pages."""

    arrival: Arrival
    store: Store
    tickets: Tickets
    prove_password: ProvePassword
    prove_second_factor: ProveSecondFactor

    async def ask(self, request: Request) -> Response:
        """The form. `restart` and `prompt=select_account` begin it anew; after a reset it knows the address."""
        visitor, params = await self.arrival.look(request)
        arrived = await self.arrival.flow(visitor, params.get("flow"))
        if isinstance(arrived, Response):
            return arrived
        visitor, sign_in = arrived
        reset_email = await self._just_reset(visitor, params)
        if sign_in is None and visitor.account is not None and reset_email is None:
            return visitor.dress(redirect(self.arrival.steps.link("/account")))
        if sign_in is not None and ("restart" in params or params.get("prompt") == "select_account"):
            begun = await self.arrival.steps.anew(visitor, sign_in)
            if isinstance(begun, Response):
                return begun
            sign_in = begun
        hint = sign_in.request.login_hint if sign_in is not None and sign_in.request is not None else None
        view = views.SignIn(
            flow=sign_in.id if sign_in else None,
            identifier=(reset_email or hint or "")[:254],
            last_used="password" if visitor.device_secrets else None,
            problem=went_stale(visitor, params),
            password_reset=reset_email is not None,
        )
        return page(view, visitor)

    async def answer(self, request: Request) -> Response:
        """E-mail and password. Raises `HashingBusy`."""
        visitor, form, ours = await self.arrival.act(request)
        identifier, password = form.get("identifier", ""), form.get("password", "")
        if not ours:
            visitor, kept = await self.arrival.kept(visitor, form.get("flow"))
            return self._again(
                visitor, kept.id if kept else None, identifier, FORGED_STATUS, problem=not_ours(visitor)
            )
        if not identifier.strip() or not password:
            arrived = await self.arrival.flow(visitor, form.get("flow"))
            if isinstance(arrived, Response):
                return arrived
            visitor, begun = arrived
            return self._again(
                visitor,
                begun.id if begun else None,
                identifier,
                WRONG_STATUS,
                identifier_problem=None if identifier.strip() else Problem(Wrong.IDENTIFIER_MISSING),
                password_problem=None if password else Problem(Wrong.PASSWORD_MISSING),
            )
        sign_in = await self.arrival.steps.load(visitor, form.get("flow"))
        if isinstance(sign_in, Response):
            return sign_in
        visitor = await self.arrival.dress(visitor, sign_in)
        outcome = await self.prove_password(
            sign_in,
            identifier=identifier,
            password=Secret(password),
            address=visitor.address,
            user_agent=visitor.user_agent,
            devices=visitor.devices,
            now=visitor.now,
            request_id=request.request_id,
        )
        if not isinstance(outcome, Refusal):
            return await self.arrival.steps.follow(visitor, outcome)
        if outcome.code == "invalid_session":
            return await self.arrival.steps.load_and_follow(visitor, sign_in.id)
        if outcome.code == "too_many_attempts":
            problem = Problem(Wrong.TOO_MANY_TRIES, at=outcome.retry_at)
            shown = self._again(visitor, sign_in.id, identifier, 429, problem=problem)
            return busy(shown, outcome.retry_at, visitor.now)
        problem = Problem(Wrong.ACCOUNT_DISABLED if outcome.say == DISABLED else Wrong.CREDENTIALS)
        return self._again(visitor, sign_in.id, identifier, WRONG_STATUS, problem=problem)

    async def ask_code(self, request: Request) -> Response:
        """The second form, for who has shown their password in this sign-in; others go where they belong."""
        visitor, params = await self.arrival.look(request)
        arrived = await self.arrival.flow(visitor, params.get("flow"))
        if isinstance(arrived, Response):
            return arrived
        visitor, sign_in = arrived
        if sign_in is None:
            return visitor.dress(redirect(self.arrival.steps.link("/sign-in")))
        if not _waits_for_code(sign_in):
            return await self.arrival.steps.follow(visitor, sign_in)
        method: _Method = "recovery" if params.get("method") == "recovery" else "authenticator"
        return await self._code_page(visitor, sign_in, method, None, 200)

    async def answer_code(self, request: Request) -> Response:
        """A code of the app, or a recovery code: told apart by what was typed, not by which page it was typed on."""
        visitor, form, ours = await self.arrival.act(request)
        if not ours and (onward := await self.arrival.onward(visitor, form.get("flow"))) is not None:
            return onward
        arrived = await self.arrival.flow(visitor, form.get("flow"))
        if isinstance(arrived, Response):
            return arrived
        visitor, sign_in = arrived
        if sign_in is None:
            return visitor.dress(redirect(self.arrival.steps.link("/sign-in")))
        if not _waits_for_code(sign_in):
            return await self.arrival.steps.follow(visitor, sign_in)
        method: _Method = "recovery" if form.get("method") == "recovery" else "authenticator"
        code = form.get("code", "")
        if not ours:
            return await self._code_page(visitor, sign_in, method, not_ours(visitor), FORGED_STATUS)
        if not code.strip():
            return await self._code_page(visitor, sign_in, method, Problem(Wrong.CODE_MISSING), WRONG_STATUS)
        outcome = await self.prove_second_factor(
            sign_in,
            code=Secret(code),
            address=visitor.address,
            devices=visitor.devices,
            now=visitor.now,
            user_agent=visitor.user_agent,
            request_id=request.request_id,
        )
        if not isinstance(outcome, Refusal):
            return await self.arrival.steps.follow(visitor, outcome)
        if outcome.code == "invalid_session":
            return await self.arrival.steps.load_and_follow(visitor, sign_in.id)
        if outcome.code == "too_many_attempts":
            problem = Problem(Wrong.TOO_MANY_TRIES, at=outcome.retry_at)
            shown = await self._code_page(visitor, sign_in, method, problem, 429)
            return busy(shown, outcome.retry_at, visitor.now)
        wrong = Wrong.RECOVERY_CODE_WRONG if method == "recovery" else Wrong.CODE_WRONG
        return await self._code_page(visitor, sign_in, method, Problem(wrong), WRONG_STATUS)

    def _again(
        self,
        visitor: Visitor,
        flow: str | None,
        identifier: str,
        status: int,
        *,
        problem: Problem | None = None,
        identifier_problem: Problem | None = None,
        password_problem: Problem | None = None,
    ) -> Response:
        view = views.SignIn(
            flow=flow or None,
            identifier=identifier[:254],
            problem=problem,
            identifier_problem=identifier_problem,
            password_problem=password_problem,
        )
        return page(view, visitor, status)

    async def _code_page(
        self, visitor: Visitor, sign_in: SignIn, method: _Method, problem: Problem | None, status: int
    ) -> Response:
        account = await self.store.accounts.get(sign_in.account_id or "")
        factors = await self.store.accounts.factors(sign_in.account_id or "")
        view = views.SecondFactor(
            account=account.email if account is not None else "",
            flow=sign_in.id,
            # a reload by GET shows the form that was shown
            action="/sign-in/code?method=recovery" if method == "recovery" else "/sign-in/code",
            method=method,
            recovery_available=recovery_code.left(factors) > 0,
            problem=problem,
        )
        return page(view, visitor, status)

    async def _just_reset(self, visitor: Visitor, params: dict[str, str]) -> str | None:
        ticket_id = ticket_of(params)
        if ticket_id is None or "reset" not in params:
            return None
        ticket = await self.tickets.held("reset", ticket_id, visitor.browser_hash)
        return ticket.email if ticket is not None and ticket.used_at is not None else None


def _waits_for_code(sign_in: SignIn) -> bool:
    kinds = {proof.kind for proof in counting(sign_in.proofs, sign_in.fresh_after)}
    return sign_in.account_id is not None and "password" in kinds and not kinds & SECOND_FACTORS


def routes(
    *,
    arrival: Arrival,
    store: Store,
    tickets: Tickets,
    prove_password: ProvePassword,
    prove_second_factor: ProveSecondFactor,
) -> list[Route]:
    """The two pages."""
    pages = SignInPages(arrival, store, tickets, prove_password, prove_second_factor)
    return [
        route("/sign-in", "GET", pages.ask, page=True),
        route("/sign-in", "POST", pages.answer, page=True),
        route("/sign-in/code", "GET", pages.ask_code, page=True),
        route("/sign-in/code", "POST", pages.answer_code, page=True),
    ]
