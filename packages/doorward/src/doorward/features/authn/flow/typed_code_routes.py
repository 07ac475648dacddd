"""/sign-in/code: the page of all factors with a typed code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, final

from msgspec import Struct

from doorward.core import text
from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.secret import Secret
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.factor import TYPED_CODE_PATH, Factor
from doorward.features.authn.flow.pages import FlowPages, ways
from doorward.features.authn.flow.rules.sent_code import looks_like
from doorward.features.authn.flow.sending import sender_of
from doorward.features.authn.flow.sent_code import SentCodeTyped
from doorward.features.authn.flow.sent_code_page import SentCodePages
from doorward.features.authn.flow.trust_box import new_device, trust_offer
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
from doorward.web.pages.views.sign_in import SecondFactor, TrustOffer
from doorward.web.route import Route

_Method = Literal["authenticator", "recovery"]
_KINDS: Final = {"authenticator": "totp", "recovery": "recovery_code"}
"""The methods in addresses of this page, whose names are older than those of the factors; others have the name of their kind."""


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
    sent: SentCodePages

    async def ask(self, visit: PageVisit) -> Response:
        """The page for the code of a second factor."""
        browser, waiting = await self._waiting(visit.browser, visit.query.get("flow"))
        return await self._page(browser, waiting, visit.query, None)

    async def ask_again(self, post: StalePost) -> Response:
        """The form once more, if this browser may go on with the sign-in."""
        await self.flow.lead_onward(post.browser, post.form.get("flow"))
        browser, waiting = await self._waiting(post.browser, post.form.get("flow"))
        return await self._page(browser, waiting, post.form, post.problem)

    async def answer(self, post: PagePost) -> Response:
        """Enter a code of the app, or a recovery code: told apart by what was typed, not by which page it was typed on."""
        browser, waiting = await self._waiting(post.browser, post.form.get("flow"))
        code, sender = post.form.get("code", ""), _sender(waiting, post.form)
        remember = await new_device(self.flow, browser, waiting.sign_in, post.form)
        if not code.strip():
            return await self._page(browser, waiting, post.form, FormProblem(Wrong.CODE_MISSING))
        outcome = await self.prove_code.prove(
            waiting.sign_in,
            code=Secret(code),
            kind=sender.kind if sender is not None and _six_digits(code) else None,
            remember=remember,
            caller=browser.caller,
            now=browser.now,
        )
        if not isinstance(outcome, OAuthError):
            if remember is not None:
                browser.remember_trust(remember.cookie)
            return await self.flow.follow(browser, outcome)
        if outcome.code == "invalid_session":
            return await self.flow.load_and_follow(browser, waiting.sign_in.id)
        if outcome.code == "too_many_attempts":
            problem = FormProblem(Wrong.TOO_MANY_TRIES, at=outcome.retry_at)
        else:
            recovery = sender is None and _method(post.form) == "recovery"
            problem = FormProblem(Wrong.RECOVERY_CODE_WRONG if recovery else Wrong.CODE_WRONG)
        return await self._page(browser, waiting, post.form, problem)

    async def _waiting(self, browser: BrowserContext, flow: str | None) -> tuple[BrowserContext, _Waiting]:
        """The sign-in, if a code may come next in it; else `EarlyResponse` redirects to its current step."""
        browser, sign_in = await self.flow.current(browser, flow)
        if sign_in is None:
            raise EarlyResponse(browser.go("/sign-in"))
        account, acceptable = await self.flow.sign_in_flow.acceptable(sign_in, browser.now)
        if account is None or not any(factor.typed_code is not None for factor in acceptable):
            raise EarlyResponse(await self.flow.follow(browser, sign_in))
        return browser, _Waiting(sign_in, account, acceptable)

    async def _page(
        self,
        browser: BrowserContext,
        waiting: _Waiting,
        given: Mapping[str, str],
        problem: FormProblem | None,
    ) -> Response:
        sender = _sender(waiting, given)
        trust = await trust_offer(self.flow, waiting.sign_in, waiting.account, given, browser.now)
        if sender is None:
            return _page(browser, waiting, _method(given), trust, problem)
        return await self.sent.shown(
            browser, waiting.sign_in, waiting.account, waiting.acceptable, sender, trust, problem
        )

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of the page and its form."""
        return [
            pages.get(TYPED_CODE_PATH, self.ask, takes="flow method"),
            pages.post(TYPED_CODE_PATH, self.answer, refused=self.ask_again, takes="flow method code trust"),
            *self.sent.routes(pages),
        ]


def _page(
    browser: BrowserContext,
    waiting: _Waiting,
    method: _Method,
    trust: TrustOffer | None,
    problem: FormProblem | None,
) -> Response:
    codes = [factor for factor in waiting.acceptable if factor.traits.kind in _KINDS.values()]
    others = [factor for factor in waiting.acceptable if factor not in codes]
    view = SecondFactor(
        account=waiting.account.shown_as,
        flow=waiting.sign_in.id,
        # a reload by GET shows the same form
        action=f"{TYPED_CODE_PATH}?method=recovery" if method == "recovery" else TYPED_CODE_PATH,
        method=method,
        authenticator_available=any(not factor.traits.backup for factor in codes),
        recovery_available=any(factor.traits.backup for factor in codes),
        trust=trust,
        problem=problem,
        others=ways(others, browser.context.locale),
    )
    return page(view, browser)


def _method(given: Mapping[str, str]) -> _Method:
    return "recovery" if given.get("method") == "recovery" else "authenticator"


def _sender(waiting: _Waiting, given: Mapping[str, str]) -> SentCodeTyped | None:
    """The factor whose codes are sent, if the page is for it."""
    method = given.get("method", "")
    return None if method in _KINDS else sender_of(waiting.acceptable, method)


def _six_digits(code: str) -> bool:
    """A recovery code may be typed on any of these pages."""
    return looks_like(text.code(code))
