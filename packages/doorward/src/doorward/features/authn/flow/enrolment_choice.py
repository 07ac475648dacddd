"""/sign-in/enrol: the page on which a person without a required second factor chooses one, or puts it off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final, get_args

from msgspec import Struct

from doorward.core.model.policy import FactorKind
from doorward.features.authn.flow.enrolment import Enrolment
from doorward.features.authn.flow.factor import ENROL_PATH
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.authn.flow.outcomes import EnrolmentRequired
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.sessions.browser_context import (
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.storage.sql.store import Store
from doorward.web.http import EarlyResponse, Response
from doorward.web.page import page
from doorward.web.pages.views.enrolment import EnrolmentChoice, KindOffer
from doorward.web.pages.views.problems import FormProblem
from doorward.web.pages.words import Words
from doorward.web.route import Route

LATER_PATH: Final = f"{ENROL_PATH}/later"
_ORDER: Final[tuple[FactorKind, ...]] = get_args(FactorKind)


@final
class EnrolmentChoicePage(Struct, frozen=True, kw_only=True):
    """For sign-ins whose first factor stands and whose person has no second one; others are redirected to their own step."""

    flow: FlowPages
    store: Store
    gate: NewFactors
    enrolments: Sequence[Enrolment]

    async def ask(self, visit: PageVisit) -> Response:
        """The kinds of factors to choose from."""
        browser, asked = await self._asked(visit.browser, visit.query.get("flow"))
        return await self._page(browser, asked, None)

    async def ask_again(self, post: StalePost) -> Response:
        """The page once more."""
        await self.flow.lead_onward(post.browser, post.form.get("flow"))
        browser, asked = await self._asked(post.browser, post.form.get("flow"))
        return await self._page(browser, asked, post.problem)

    async def later(self, post: PagePost) -> Response:
        """Put it off, for this sign-in, while the grace period lasts."""
        browser, asked = await self._asked(post.browser, post.form.get("flow"))
        if asked.grace_until is not None:
            await self.store.commit(
                self.store.factor_demands.postpone(asked.account.id, asked.sign_in.id, browser.now)
            )
        return await self.flow.load_and_follow(browser, asked.sign_in.id)

    async def _asked(
        self, browser: BrowserContext, flow: str | None
    ) -> tuple[BrowserContext, EnrolmentRequired]:
        browser, sign_in = await self.flow.current(browser, flow)
        if sign_in is None:
            raise EarlyResponse(browser.go("/sign-in"))
        asked = await self.flow.sign_in_flow.enrolment(sign_in, session=browser.session, now=browser.now)
        if asked is None:
            raise EarlyResponse(await self.flow.follow(browser, sign_in))
        return browser, asked

    async def _page(
        self, browser: BrowserContext, asked: EnrolmentRequired, problem: FormProblem | None
    ) -> Response:
        say = Words(browser.context.locale).text
        unknown_too = await self.gate.open()
        offers = [
            KindOffer(one.kind, say(one.link), say(one.help), f"{ENROL_PATH}/{one.path}")
            for one in sorted(self.enrolments, key=lambda one: _ORDER.index(one.kind))
            if one.kind in asked.kinds and (unknown_too or one.always_known)
        ]
        view = EnrolmentChoice(
            account=asked.account.shown_as,
            flow=asked.sign_in.id,
            because=asked.because,
            offers=tuple(offers),
            grace_until=asked.grace_until,
            problem=problem,
        )
        return page(view, browser)

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of the page and of its form."""
        return [
            pages.get(ENROL_PATH, self.ask, takes="flow"),
            pages.lead(LATER_PATH, ENROL_PATH),
            pages.post(LATER_PATH, self.later, refused=self.ask_again, takes="flow"),
        ]
