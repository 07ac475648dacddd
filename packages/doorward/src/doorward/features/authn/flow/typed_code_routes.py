"""/sign-in/code: the page of all factors with a typed code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

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
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import TrustOffer, TypedCodeView
from doorward.web.route import Route


class _Waiting(Struct, frozen=True):
    sign_in: SignIn
    account: Account
    acceptable: tuple[Factor, ...]

    def chosen(self, method: str) -> Factor:
        """The factor of the page: that of this method, else that of the address without one, else the first."""
        codes = [one for one in self.acceptable if one.typed_code is not None]
        named = [one for one in codes if one.typed_code is not None and one.typed_code.method == method]
        return [*named, *(one for one in codes if one.path == TYPED_CODE_PATH), *codes][0]


@final
class TypedCodePage(Struct, frozen=True, kw_only=True):
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
        code, method = post.form.get("code", ""), post.form.get("method", "")
        sender = sender_of(waiting.acceptable, method)
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
            problem = FormProblem(_wrong(waiting, method))
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
        factor = waiting.chosen(given.get("method", ""))
        sender = sender_of(waiting.acceptable, factor.traits.kind)
        trust = await trust_offer(self.flow, waiting.sign_in, waiting.account, given, browser.now)
        if sender is None:
            return _page(browser, waiting, factor, trust, problem)
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
    shown: Factor,
    trust: TrustOffer | None,
    problem: FormProblem | None,
) -> Response:
    code = shown.typed_code
    if code is None or code.words is None:
        raise TypeError(f"{shown.traits.kind} is typed here, and has no words")
    here = [one for one in waiting.acceptable if one.typed_code is not None and one.typed_code.words]
    view = TypedCodeView(
        account=waiting.account.shown_as,
        flow=waiting.sign_in.id,
        # a reload by GET shows the same form
        action=shown.path,
        method=code.method,
        words=code.words,
        typed=ways([one for one in here if one is not shown], browser.context.locale),
        others=ways([one for one in waiting.acceptable if one not in here], browser.context.locale),
        trust=trust,
        problem=problem,
    )
    return page(view, browser)


def _wrong(waiting: _Waiting, method: str) -> Said:
    """What is said of a wrong code on the page of this method."""
    code = waiting.chosen(method).typed_code
    return Wrong.CODE_WRONG if code is None else code.wrong


def _six_digits(code: str) -> bool:
    """A recovery code may be typed on any of these pages."""
    return looks_like(text.code(code))
