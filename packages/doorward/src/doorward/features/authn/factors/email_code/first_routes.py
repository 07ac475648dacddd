"""/sign-in/email: a code by mail in place of the password."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, final

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.message import EmailChallenge
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.email_challenges.pages import AddressAndCodePages
from doorward.features.authn.email_challenges.problems import missed, waiting
from doorward.features.authn.email_challenges.rules import Missed
from doorward.features.authn.factors.email_code import first
from doorward.features.authn.factors.email_code.first import TRAITS, ProveMailbox
from doorward.features.authn.factors.email_code.views import MailFirstCheckView, MailFirstView
from doorward.features.authn.flow.pages import FlowPages, hinted, said_stale, ticket_of, with_flow
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.flow.routed import elsewhere
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.routing import RoutedDomain
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
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.words import N_
from doorward.web.route import Route

PATH: Final = "/sign-in/email"
CHECK: Final = f"{PATH}/check"
RESEND: Final = f"{PATH}/resend"


@final
class MailFirstPages(AddressAndCodePages, frozen=True, kw_only=True):
    """The page for the address, and the one for the code."""

    path: ClassVar[str] = PATH
    mailbox: ProveMailbox

    async def ask(self, visit: PageVisit) -> Response:
        """The form for the address. Viewing it sends and stores nothing."""
        browser, sign_in = await self.flow.current(visit.browser, visit.query.get("flow"))
        return self._form(
            browser, sign_in.id if sign_in else None, hinted(sign_in), said_stale(browser, visit.query)
        )

    async def ask_again(self, post: StalePost) -> Response:
        """The form, with the address that was typed."""
        browser, kept = await self.flow.kept(post.browser, post.form.get("flow"))
        return self._form(browser, kept.id if kept else None, post.form.get("email", ""), post.problem)

    async def answer(self, post: PagePost) -> Response:
        """Send a code to the address, if an account has it."""
        typed = post.form.get("email", "")
        if not typed.strip():
            browser, begun = await self.flow.current(post.browser, post.form.get("flow"))
            wrong = FormProblem(Wrong.EMAIL_MISSING)
            return self._form(browser, begun.id if begun else None, typed, email_problem=wrong)
        sign_in = await self.flow.load(post.browser, post.form.get("flow"))
        browser = await self.flow.for_app_of(post.browser, sign_in)
        outcome = await self.mailbox.send(
            sign_in, typed, locale=browser.context.locale, caller=browser.caller, now=browser.now
        )
        if isinstance(outcome, EmailChallenge):
            return browser.go(with_flow(f"{CHECK}?ticket={outcome.id}", sign_in.id))
        if isinstance(outcome, Wait):
            return self._form(browser, sign_in.id, typed, waiting(outcome))
        if isinstance(outcome, RoutedDomain):
            return elsewhere(browser, sign_in.id, outcome, typed)
        return self._form(browser, sign_in.id, typed, email_problem=FormProblem(Wrong.EMAIL_INVALID))

    async def check(self, visit: PageVisit) -> Response:
        """The form for the code: the same words whatever was sent."""
        browser, sign_in, challenge = await self._waiting(visit.browser, visit.query, visit.query.get("flow"))
        return self._check(browser, sign_in, challenge, None, resent="resent" in visit.query)

    async def check_again(self, post: StalePost) -> Response:
        """The same form once more, in the browser that asked for the code."""
        await self.flow.lead_onward(post.browser, post.form.get("flow"))
        browser, sign_in, challenge = await self._waiting(post.browser, post.query, post.form.get("flow"))
        return self._check(browser, sign_in, challenge, post.problem)

    async def check_code(self, post: PagePost) -> Response:
        """Enter the code."""
        browser, sign_in, challenge = await self._waiting(post.browser, post.query, post.form.get("flow"))
        code = post.form.get("code", "")
        if not code.strip():
            return self._check(browser, sign_in, challenge, FormProblem(Wrong.CODE_MISSING))
        outcome = await self.mailbox.prove(
            sign_in, challenge.id, code, caller=browser.caller, now=browser.now
        )
        if isinstance(outcome, SignIn):
            browser.remember_used(TRAITS.kind)
            return await self.flow.follow_proof(browser, outcome)
        if isinstance(outcome, OAuthError):
            return await self.flow.load_and_follow(browser, sign_in.id)
        if isinstance(outcome, Wait) or outcome.why in {"spent", "code"}:
            return self._check(browser, sign_in, challenge, missed(outcome))
        return self._check(browser, sign_in, challenge, missed(Missed("code")))

    async def resend(self, post: PagePost) -> Response:
        """Send another code; the earlier one stops working."""
        browser, sign_in, challenge = await self._waiting(post.browser, post.query, post.form.get("flow"))
        outcome = await self.mailbox.send(
            sign_in,
            challenge.email,
            locale=browser.context.locale,
            caller=browser.caller,
            now=browser.now,
            replaces=challenge,
        )
        if isinstance(outcome, EmailChallenge):
            return browser.go(with_flow(f"{CHECK}?ticket={outcome.id}&resent=1", sign_in.id))
        if isinstance(outcome, Wait):
            return self._check(browser, sign_in, challenge, waiting(outcome))
        return browser.go(with_flow(PATH, sign_in.id))

    async def _waiting(
        self, browser: BrowserContext, query: dict[str, str], flow: str | None
    ) -> tuple[BrowserContext, SignIn, EmailChallenge]:
        """The sign-in and its code; else `EarlyResponse` redirects to the first page."""
        browser, sign_in = await self.flow.current(browser, flow)
        ticket_id = ticket_of(query)
        if sign_in is None or ticket_id is None:
            raise EarlyResponse(browser.go(with_flow(PATH, sign_in.id if sign_in else None)))
        challenge = await self.mailbox.waiting(sign_in, ticket_id, browser.caller)
        if challenge is None:
            raise EarlyResponse(await self.flow.follow(browser, sign_in))
        return browser, sign_in, challenge

    def _form(
        self,
        browser: BrowserContext,
        flow: str | None,
        email: str,
        problem: FormProblem | None = None,
        email_problem: FormProblem | None = None,
    ) -> Response:
        view = MailFirstView(flow=flow, email=email[:254], problem=problem, email_problem=email_problem)
        return page(view, browser)

    def _check(
        self,
        browser: BrowserContext,
        sign_in: SignIn,
        challenge: EmailChallenge,
        problem: FormProblem | None,
        *,
        resent: bool = False,
    ) -> Response:
        view = MailFirstCheckView(
            flow=sign_in.id,
            action=f"{CHECK}?ticket={challenge.id}",
            resend_action=f"{RESEND}?ticket={challenge.id}",
            email=challenge.email,
            minutes=self.mailbox.minutes,
            resent=resent,
            problem=problem,
        )
        return page(view, browser)


@final
class MailFirstFactor(FactorPlug, frozen=True, kw_only=True):
    """The mailbox as a first factor."""

    mailbox: ProveMailbox
    traits: FactorTraits = TRAITS
    path: str = PATH
    link: str = N_("Email me a code")

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """The pages for the address and the code."""
        return MailFirstPages(flow=flow, mailbox=self.mailbox).routes(pages)

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """False: it is never asked for beside another factor. For that, codes by mail are set up."""
        del account, rows
        return False

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """The proof counts until the address or the password changes."""
        del rows
        return first.stands(proof, account)
