"""/sign-in and /sign-in/code: the pages on which people prove who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from doorward.core.errors import Refusal
from doorward.core.model.secret import Secret
from doorward.core.model.signin import SignIn
from doorward.features.authn.factors.email_code.service import Tickets
from doorward.features.authn.factors.password.service import DISABLED, ProvePassword
from doorward.features.authn.factors.totp.service import ProveSecondFactor
from doorward.features.authn.flow.pages import FlowPages, said_stale, ticket_of
from doorward.features.authn.flow.rules.assurance import SECOND_FACTORS, counting
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.web.http import EarlyResponse, Response
from doorward.web.page import busy, page
from doorward.web.pages.views import sign_in as views
from doorward.web.pages.views.problems import Problem, Wrong
from doorward.web.route import Route

WRONG_STATUS: Final = 400
"""Of a page that shows the form again: the same for unknown people, wrong passwords and disabled accounts (line 80)."""

FORGED_STATUS: Final = 403
_Method = Literal["authenticator", "recovery"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPages:
    """GET and POST of both pages."""

    flow: FlowPages
    tickets: Tickets
    prove_password: ProvePassword
    prove_second_factor: ProveSecondFactor

    async def ask(self, visit: PageVisit) -> Response:
        """The form. `restart` and `prompt=select_account` begin it anew; after a reset it knows the address."""
        query = visit.query
        browser, sign_in = await self.flow.current(visit.browser, query.get("flow"))
        reset_email = await self._just_reset(browser, query)
        if sign_in is None and browser.account is not None and reset_email is None:
            return browser.go("/account")
        if sign_in is not None and ("restart" in query or query.get("prompt") == "select_account"):
            sign_in = await self.flow.anew(browser, sign_in)
        hint = sign_in.request.login_hint if sign_in is not None and sign_in.request is not None else None
        view = views.SignIn(
            flow=sign_in.id if sign_in else None,
            identifier=(reset_email or hint or "")[:254],
            last_used="password" if browser.device_secrets else None,
            problem=said_stale(browser, query),
            password_reset=reset_email is not None,
        )
        return page(view, browser)

    async def ask_again(self, post: StalePost) -> Response:
        """The form, with the address that was typed."""
        browser, kept = await self.flow.kept(post.browser, post.form.get("flow"))
        identifier = post.form.get("identifier", "")
        return _again(browser, kept.id if kept else None, identifier, FORGED_STATUS, problem=post.problem)

    async def answer(self, post: PagePost) -> Response:
        """E-mail and password. Raises `HashingBusy`."""
        identifier, password = post.form.get("identifier", ""), post.form.get("password", "")
        if not identifier.strip() or not password:
            browser, begun = await self.flow.current(post.browser, post.form.get("flow"))
            return _again(
                browser,
                begun.id if begun else None,
                identifier,
                WRONG_STATUS,
                identifier_problem=None if identifier.strip() else Problem(Wrong.IDENTIFIER_MISSING),
                password_problem=None if password else Problem(Wrong.PASSWORD_MISSING),
            )
        sign_in = await self.flow.load(post.browser, post.form.get("flow"))
        browser = self.flow.for_app_of(post.browser, sign_in)
        outcome = await self.prove_password(
            sign_in,
            identifier=identifier,
            password=Secret(password),
            address=browser.address,
            user_agent=browser.user_agent,
            devices=browser.devices,
            now=browser.now,
            request_id=browser.request.request_id,
        )
        if not isinstance(outcome, Refusal):
            return await self.flow.follow(browser, outcome)
        if outcome.code == "invalid_session":
            return await self.flow.load_and_follow(browser, sign_in.id)
        if outcome.code == "too_many_attempts":
            problem = Problem(Wrong.TOO_MANY_TRIES, at=outcome.retry_at)
            shown = _again(browser, sign_in.id, identifier, 429, problem=problem)
            return busy(shown, outcome.retry_at, browser.now)
        problem = Problem(Wrong.ACCOUNT_DISABLED if outcome.say == DISABLED else Wrong.CREDENTIALS)
        return _again(browser, sign_in.id, identifier, WRONG_STATUS, problem=problem)

    async def ask_code(self, visit: PageVisit) -> Response:
        """The second form, for who has shown their password in this sign-in; others go where they belong."""
        browser, sign_in = await self._waiting_for_code(visit.browser, visit.query.get("flow"))
        return await self._code_page(browser, sign_in, _method(visit.query), None, 200)

    async def ask_code_again(self, post: StalePost) -> Response:
        """The second form once more, if this browser may go on with the sign-in."""
        await self.flow.lead_onward(post.browser, post.form.get("flow"))
        browser, sign_in = await self._waiting_for_code(post.browser, post.form.get("flow"))
        return await self._code_page(browser, sign_in, _method(post.form), post.problem, FORGED_STATUS)

    async def answer_code(self, post: PagePost) -> Response:
        """A code of the app, or a recovery code: told apart by what was typed, not by which page it was typed on."""
        browser, sign_in = await self._waiting_for_code(post.browser, post.form.get("flow"))
        method, code = _method(post.form), post.form.get("code", "")
        if not code.strip():
            return await self._code_page(browser, sign_in, method, Problem(Wrong.CODE_MISSING), WRONG_STATUS)
        outcome = await self.prove_second_factor(
            sign_in,
            code=Secret(code),
            address=browser.address,
            devices=browser.devices,
            now=browser.now,
            user_agent=browser.user_agent,
            request_id=browser.request.request_id,
        )
        if not isinstance(outcome, Refusal):
            return await self.flow.follow(browser, outcome)
        if outcome.code == "invalid_session":
            return await self.flow.load_and_follow(browser, sign_in.id)
        if outcome.code == "too_many_attempts":
            problem = Problem(Wrong.TOO_MANY_TRIES, at=outcome.retry_at)
            shown = await self._code_page(browser, sign_in, method, problem, 429)
            return busy(shown, outcome.retry_at, browser.now)
        wrong = Wrong.RECOVERY_CODE_WRONG if method == "recovery" else Wrong.CODE_WRONG
        return await self._code_page(browser, sign_in, method, Problem(wrong), WRONG_STATUS)

    async def _waiting_for_code(
        self, browser: BrowserContext, flow: str | None
    ) -> tuple[BrowserContext, SignIn]:
        """The sign-in, if its next step is the code; else `EarlyResponse` is raised with the way to where it belongs."""
        browser, sign_in = await self.flow.current(browser, flow)
        if sign_in is None:
            raise EarlyResponse(browser.go("/sign-in"))
        if not _waits_for_code(sign_in):
            raise EarlyResponse(await self.flow.follow(browser, sign_in))
        return browser, sign_in

    async def _code_page(
        self,
        browser: BrowserContext,
        sign_in: SignIn,
        method: _Method,
        problem: Problem | None,
        status: int,
    ) -> Response:
        account, recovery = await self.prove_second_factor.offered(sign_in)
        view = views.SecondFactor(
            account=account.email if account is not None else "",
            flow=sign_in.id,
            # a reload by GET shows the form that was shown
            action="/sign-in/code?method=recovery" if method == "recovery" else "/sign-in/code",
            method=method,
            recovery_available=recovery,
            problem=problem,
        )
        return page(view, browser, status)

    async def _just_reset(self, browser: BrowserContext, query: Mapping[str, str]) -> str | None:
        ticket_id = ticket_of(query)
        if ticket_id is None or "reset" not in query:
            return None
        ticket = await self.tickets.held("reset", ticket_id, browser.browser_hash)
        return ticket.email if ticket is not None and ticket.used_at is not None else None


def _again(
    browser: BrowserContext,
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
    return page(view, browser, status)


def _method(given: Mapping[str, str]) -> _Method:
    return "recovery" if given.get("method") == "recovery" else "authenticator"


def _waits_for_code(sign_in: SignIn) -> bool:
    kinds = {proof.kind for proof in counting(sign_in.proofs, sign_in.fresh_after)}
    return sign_in.account_id is not None and "password" in kinds and not kinds & SECOND_FACTORS


def routes(
    *,
    pages: BrowserPages,
    flow: FlowPages,
    tickets: Tickets,
    prove_password: ProvePassword,
    prove_second_factor: ProveSecondFactor,
) -> list[Route]:
    """The two pages."""
    on = SignInPages(
        flow=flow,
        tickets=tickets,
        prove_password=prove_password,
        prove_second_factor=prove_second_factor,
    )
    return [
        pages.get("/sign-in", on.ask),
        pages.post("/sign-in", on.answer, refused=on.ask_again),
        pages.get("/sign-in/code", on.ask_code),
        pages.post("/sign-in/code", on.answer_code, refused=on.ask_code_again),
    ]
