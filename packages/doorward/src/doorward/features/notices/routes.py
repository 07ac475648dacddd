"""/not-me, the page behind the link "This wasn't me", and the steps that follow, below /account/review."""

from __future__ import annotations

from typing import Final, final
from urllib.parse import quote

from msgspec import Struct

from doorward.core.model.message import NoticeLink
from doorward.features.accounts.self_service import AccountPages
from doorward.features.api_keys.own import OwnApiKeys
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.notices import views
from doorward.features.notices.service import NoticeAnswers
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.features.sessions.signed_in_pages import SignedInPages, SignedInVisit
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views.problems import FormProblem
from doorward.web.route import Route

NOT_ME: Final = "/not-me"
REVIEW: Final = "/account/review"


@final
class NotMePages(Struct, frozen=True, kw_only=True):
    """Opening the link changes nothing: scanners and previews open links, people press buttons."""

    answers: NoticeAnswers
    flow: FlowPages
    own: SignedInPages
    account_pages: AccountPages
    keys: OwnApiKeys

    async def ask(self, visit: PageVisit) -> Response:
        """The two buttons."""
        return await self._page(visit.browser, visit.query.get("token", ""))

    async def answer(self, post: PagePost) -> Response:
        """End all access, or nothing."""
        browser, token = post.browser, post.form.get("token", "")
        if post.form.get("answer") == "was_me":
            link = await self.answers.was_me(token, caller=browser.caller, now=browser.now)
            if link is not None:
                return page(views.NoticeClosed("thanks"), browser)
        elif post.form.get("answer") == "not_me":
            link = await self.answers.not_me(token, caller=browser.caller, now=browser.now)
            if link is not None:
                return await self._lead_on(browser, link)
        return await self._page(browser, token)

    async def again(self, post: StalePost) -> Response:
        """The buttons once more."""
        return await self._page(post.browser, post.form.get("token", ""), problem=post.problem)

    async def password_step(self, visit: SignedInVisit) -> Response:
        """The second step, for somebody who reported while signed in: a new password."""
        return page(views.ReviewView(step=2, done=self.own.was_done(visit)), visit.browser)

    async def methods_step(self, visit: SignedInVisit) -> Response:
        """The third step: the sign-in methods."""
        ways = await self.answers.ways(visit.account, visit.browser.context.locale)
        return page(views.ReviewView(step=3, ways=ways), visit.browser)

    async def apps_step(self, visit: SignedInVisit) -> Response:
        """The fourth step: apps and API keys."""
        connected = await self.account_pages.apps(visit.account, visit.browser.now)
        view = views.ReviewView(
            step=4,
            apps=tuple(app.client.name for app in connected),
            keys=await self.keys.concern(visit.account),
        )
        return page(view, visit.browser)

    async def _lead_on(self, browser: BrowserContext, link: NoticeLink) -> Response:
        """The next step. The sign-in that it begins proves nothing yet; it only leads to the third step."""
        if browser.account is not None and browser.account.id == link.account_id:
            browser.forget_session()
            browser = browser.with_session(None)
        sign_in = await self.flow.begin(browser, None, f"{REVIEW}/methods")
        return page(views.NotMeDone(sign_in.id), browser)

    async def _page(
        self, browser: BrowserContext, token: str, *, problem: FormProblem | None = None
    ) -> Response:
        link = await self.answers.find(token, browser.now)
        if link is None:
            return page(views.NoticeClosed("gone"), browser, 410)
        if link.answer is not None:
            return page(views.NoticeClosed(link.answer, link.answered_at or 0), browser, 410)
        action = f"{NOT_ME}?token={quote(token, safe='')}"
        return page(views.NotMeAsk(action=action, token=token, problem=problem), browser)

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of these pages."""
        return [
            pages.get(NOT_ME, self.ask, takes="token"),
            pages.post(NOT_ME, self.answer, refused=self.again, takes="token answer"),
            self.own.get(REVIEW, self.password_step),
            self.own.get(f"{REVIEW}/methods", self.methods_step),
            self.own.get(f"{REVIEW}/apps", self.apps_step),
        ]
