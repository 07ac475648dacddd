"""/sign-in/code: the page of all factors with a typed code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.secret import Secret
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.factor import TYPED_CODE_PATH, Factor
from doorward.features.authn.flow.pages import FlowPages, ways
from doorward.features.authn.flow.typed_code import ProveTypedCode
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.web.http import EarlyResponse, Response
from doorward.web.page import page
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sign_in import SecondFactor
from doorward.web.route import Route

_Method = Literal["authenticator", "recovery"]


class _Waiting(Struct, frozen=True):
    sign_in: SignIn
    account: Account
    acceptable: tuple[Factor, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCodePage:
    """For sign-ins that a first factor has identified; others are redirected to their own step."""

    flow: FlowPages
    prove_code: ProveTypedCode

    async def ask(self, visit: PageVisit) -> Response:
        """The page for the code of a second factor."""
        browser, waiting = await self._waiting(visit.browser, visit.query.get("flow"))
        return _page(browser, waiting, _method(visit.query), None)

    async def ask_again(self, post: StalePost) -> Response:
        """The form once more, if this browser may go on with the sign-in."""
        await self.flow.lead_onward(post.browser, post.form.get("flow"))
        browser, waiting = await self._waiting(post.browser, post.form.get("flow"))
        return _page(browser, waiting, _method(post.form), post.problem)

    async def answer(self, post: PagePost) -> Response:
        """Enter a code of the app, or a recovery code: told apart by what was typed, not by which page it was typed on."""
        browser, waiting = await self._waiting(post.browser, post.form.get("flow"))
        method, code = _method(post.form), post.form.get("code", "")
        if not code.strip():
            return _page(browser, waiting, method, FormProblem(Wrong.CODE_MISSING))
        outcome = await self.prove_code.prove(
            waiting.sign_in, code=Secret(code), caller=browser.caller, now=browser.now
        )
        if not isinstance(outcome, OAuthError):
            return await self.flow.follow(browser, outcome)
        if outcome.code == "invalid_session":
            return await self.flow.load_and_follow(browser, waiting.sign_in.id)
        if outcome.code == "too_many_attempts":
            problem = FormProblem(Wrong.TOO_MANY_TRIES, at=outcome.retry_at)
        else:
            problem = FormProblem(Wrong.RECOVERY_CODE_WRONG if method == "recovery" else Wrong.CODE_WRONG)
        return _page(browser, waiting, method, problem)

    async def _waiting(self, browser: BrowserContext, flow: str | None) -> tuple[BrowserContext, _Waiting]:
        """The sign-in, if a code may come next in it; else `EarlyResponse` redirects to its current step."""
        browser, sign_in = await self.flow.current(browser, flow)
        if sign_in is None:
            raise EarlyResponse(browser.go("/sign-in"))
        account, acceptable = await self.flow.sign_in_flow.acceptable(sign_in, browser.now)
        if account is None or not any(factor.typed_code is not None for factor in acceptable):
            raise EarlyResponse(await self.flow.follow(browser, sign_in))
        return browser, _Waiting(sign_in, account, acceptable)

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of the page and its form."""
        return [
            pages.get(TYPED_CODE_PATH, self.ask, takes="flow method"),
            pages.post(TYPED_CODE_PATH, self.answer, refused=self.ask_again, takes="flow method code"),
        ]


def _page(
    browser: BrowserContext, waiting: _Waiting, method: _Method, problem: FormProblem | None
) -> Response:
    codes = [factor for factor in waiting.acceptable if factor.typed_code is not None]
    others = [factor for factor in waiting.acceptable if factor.typed_code is None]
    view = SecondFactor(
        account=waiting.account.email,
        flow=waiting.sign_in.id,
        # a reload by GET shows the same form
        action=f"{TYPED_CODE_PATH}?method=recovery" if method == "recovery" else TYPED_CODE_PATH,
        method=method,
        recovery_available=any(factor.traits.backup for factor in codes),
        problem=problem,
        others=ways(others, browser.context.locale),
    )
    return page(view, browser)


def _method(given: Mapping[str, str]) -> _Method:
    return "recovery" if given.get("method") == "recovery" else "authenticator"
