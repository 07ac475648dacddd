"""/sign-up, /sign-up/check, /sign-up/resend and /verify: the pages of a sign-up."""

from __future__ import annotations

from typing import ClassVar, Literal, final

from doorward.core.errors import OAuthError
from doorward.core.login_name import MAX_NAME
from doorward.core.model.message import EmailChallenge
from doorward.core.model.secret import Secret
from doorward.features.accounts.code_pages import CodePages, to_ticket
from doorward.features.accounts.sign_up import SignUp
from doorward.features.accounts.verify_address import VerifiedAddress, VerifyAddress
from doorward.features.authn.email_challenges.problems import waiting
from doorward.features.authn.email_challenges.rules import Missed, Proven
from doorward.features.authn.factors.password.problems import weak
from doorward.features.authn.flow.routed import elsewhere
from doorward.features.authn.flow.rules.routing import RoutedDomain
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.browser_context import BrowserContext, PagePost
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views import sign_up as views
from doorward.web.pages.views.ends import Way
from doorward.web.pages.views.problems import FormProblem, Wrong


@final
class SignUpPages(CodePages[VerifiedAddress], frozen=True, kw_only=True):
    """Pages for the data of the account, then for the proof of its address."""

    kind: ClassVar[Literal["sign_up", "reset"]] = "sign_up"
    start: ClassVar[str] = "/sign-up"
    asks: ClassVar[str] = "flow email password name"
    start_way: ClassVar[Way] = Way.SIGN_UP
    sign_up: SignUp
    verify: VerifyAddress

    async def answer(self, post: PagePost) -> Response:
        """Sign up with an address, a password, perhaps a name. Raises `HashingBusy`."""
        form = post.form
        email, name = form.get("email", ""), form.get("name", "")
        browser, sign_in = await self.flow.current(post.browser, form.get("flow"))
        flow = sign_in.id if sign_in else None
        outcome = await self.sign_up.begin(
            email=email,
            password=Secret(form.get("password", "")),
            name=name,
            locale=browser.context.locale,
            sign_in_id=flow,
            caller=browser.caller,
            now=browser.now,
        )
        if isinstance(outcome, EmailChallenge):
            return to_ticket(browser, "/sign-up/check", outcome.id, flow)
        if isinstance(outcome, Wait):
            return self.form(browser, flow, email, name, problem=waiting(outcome))
        if isinstance(outcome, RoutedDomain):
            return elsewhere(browser, flow, outcome, email)
        wrong_email = Wrong.EMAIL_INVALID if email.strip() else Wrong.EMAIL_MISSING
        if outcome.beyond_ascii:
            wrong_email = Wrong.EMAIL_BEYOND_ASCII
        return self.form(
            browser,
            flow,
            email,
            name,
            email_problem=FormProblem(wrong_email) if outcome.email or outcome.beyond_ascii else None,
            name_problem=FormProblem(Wrong.NAME_TOO_LONG, number=MAX_NAME) if outcome.name else None,
            password_problem=weak(outcome.password) if outcome.password else None,
        )

    async def send_again(self, ticket_id: str, browser: BrowserContext) -> EmailChallenge | Wait | None:
        """Send another mail for the same sign-up."""
        return await self.sign_up.again(ticket_id, caller=browser.caller, now=browser.now)

    async def accept(self, proven: Proven, browser: BrowserContext) -> VerifiedAddress | Missed:
        """The new account."""
        return await self.verify.accept(proven, caller=browser.caller, now=browser.now)

    async def go_on(self, browser: BrowserContext, proven: VerifiedAddress, flow: str | None) -> Response:
        """Continue the sign-in for which the account was made."""
        sign_in = await self.flow.load(browser, proven.challenge.sign_in_id)
        browser = await self.flow.for_app_of(browser, sign_in)
        shown = await self.verify.go_on(sign_in, proven, browser.now)
        if isinstance(shown, OAuthError):
            return await self.flow.load_and_follow(browser, sign_in.id)
        return await self.flow.follow(browser, shown)

    def form(
        self,
        browser: BrowserContext,
        flow: str | None,
        email: str,
        name: str = "",
        **problems: FormProblem | None,
    ) -> Response:
        """The form for the data of the account."""
        minimum = self.sign_up.judge.minimum(second_factor=False)
        view = views.SignUpView(minimum, flow=flow, email=email[:254], name=name[:254], **problems)
        return page(view, browser)
