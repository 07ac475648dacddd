"""/reset, /reset/check, /reset/resend, /reset/link and /reset/new: a new password after proof of the mailbox."""

from __future__ import annotations

from typing import ClassVar, Literal, final

from doorward.core.model.message import EmailChallenge
from doorward.core.model.secret import Secret
from doorward.features.accounts.code_pages import CodePages, to_ticket
from doorward.features.accounts.reset_password import BadAddress, Over, Reset, ResetPassword
from doorward.features.authn.email_challenges.problems import waiting
from doorward.features.authn.email_challenges.rules import Missed, Proven
from doorward.features.authn.factors.password.problems import weak
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.authn.flow.routed import elsewhere
from doorward.features.authn.flow.rules.routing import RoutedDomain
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views import reset as views
from doorward.web.pages.views.ends import Way
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.route import Route


@final
class ResetPages(CodePages[EmailChallenge], frozen=True, kw_only=True):
    """Pages for the address and the new password."""

    kind: ClassVar[Literal["sign_up", "reset"]] = "reset"
    start: ClassVar[str] = "/reset"
    asks: ClassVar[str] = "flow email"
    start_way: ClassVar[Way] = Way.RESET
    reset: ResetPassword

    def form(
        self,
        browser: BrowserContext,
        flow: str | None,
        email: str,
        name: str = "",
        **problems: FormProblem | None,
    ) -> Response:
        """The form for a forgotten password."""
        del name
        return page(views.ResetAsk(flow=flow, email=email[:254], **problems), browser)

    async def answer(self, post: PagePost) -> Response:
        """Ask for a mail to an address."""
        email = post.form.get("email", "")
        browser, sign_in = await self.flow.current(post.browser, post.form.get("flow"))
        flow = sign_in.id if sign_in else None
        outcome = await self.reset.ask(
            email=email,
            locale=browser.context.locale,
            sign_in_id=flow,
            caller=browser.caller,
            now=browser.now,
        )
        if isinstance(outcome, EmailChallenge):
            return to_ticket(browser, "/reset/check", outcome.id, flow)
        if isinstance(outcome, Wait):
            return self.form(browser, flow, email, problem=waiting(outcome))
        if isinstance(outcome, RoutedDomain):
            return elsewhere(browser, flow, outcome, email)
        invalid = isinstance(outcome, BadAddress) and email.strip()
        wrong = Wrong.EMAIL_INVALID if invalid else Wrong.EMAIL_MISSING
        return self.form(browser, flow, email, email_problem=FormProblem(wrong))

    async def send_again(self, ticket_id: str, browser: BrowserContext) -> EmailChallenge | Wait | None:
        """Send another mail, in the language of this page."""
        outcome = await self.reset.again(
            ticket_id, locale=browser.context.locale, caller=browser.caller, now=browser.now
        )
        return None if isinstance(outcome, Over) else outcome

    async def accept(self, proven: Proven, browser: BrowserContext) -> EmailChallenge | Missed:
        """The proven challenge."""
        return await self.reset.accept(proven, browser.now)

    async def go_on(self, browser: BrowserContext, proven: EmailChallenge, flow: str | None) -> Response:
        """Redirect to the form for the new password."""
        return to_ticket(browser, "/reset/new", proven.id, flow or proven.sign_in_id)

    async def ask_new(self, visit: PageVisit) -> Response:
        """The form for the new password."""
        ticket_id, flow = self.named(visit.browser, visit.query, visit.query.get("flow"))
        return await self._new_page(visit.browser, ticket_id, flow)

    async def answer_new(self, post: PagePost) -> Response:
        """Set the new password. The sign-in page follows, because a reset alone signs nobody in. Raises `HashingBusy`."""
        browser, ends = post.browser, post.form.get("end_sessions") == "yes"
        drops = post.form.get("disconnect") == "yes"
        ticket_id, flow = self.named(browser, post.query, post.form.get("flow"))
        outcome = await self.reset.set(
            ticket_id,
            Secret(post.form.get("password", "")),
            end_sessions=ends,
            disconnect=drops,
            caller=browser.caller,
            now=browser.now,
        )
        if isinstance(outcome, Weak):
            return await self._new_page(
                browser, ticket_id, flow, ends=ends, drops=drops, password_problem=weak(outcome)
            )
        if isinstance(outcome, Reset):
            browser.remember_device(outcome.device_secret)
            return to_ticket(browser, "/sign-in", ticket_id, flow, "&reset=1")
        return self.over(browser, flow)

    async def ask_new_again(self, post: StalePost) -> Response:
        """The form for the new password once more, for the browser to which the challenge is bound."""
        ticket_id, flow = await self.lead_onward(post)
        return await self._new_page(post.browser, ticket_id, flow, problem=post.problem)

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of these pages, including that of the new password."""
        return [
            *CodePages[EmailChallenge].routes(self, pages),
            pages.get("/reset/new", self.ask_new, takes="flow ticket"),
            pages.post(
                "/reset/new",
                self.answer_new,
                refused=self.ask_new_again,
                takes="flow password end_sessions disconnect",
            ),
        ]

    async def _new_page(
        self,
        browser: BrowserContext,
        ticket_id: str,
        flow: str | None,
        *,
        ends: bool = True,
        drops: bool = False,
        **problems: FormProblem | None,
    ) -> Response:
        opened = await self.reset.open(ticket_id, browser.browser_hash, browser.now)
        if opened is None:
            return self.over(browser, flow)
        challenge, account, minimum = opened
        view = views.ResetNew(
            account=account.shown_as,
            minimum=minimum,
            flow=flow or None,
            action=f"/reset/new?ticket={challenge.id}",
            end_sessions=ends,
            connected=tuple(
                views.ConnectedElsewhere(one.label, one.email)
                for one in await self.reset.connections.of(account)
            ),
            disconnect=drops,
            **problems,
        )
        return page(view, browser)
