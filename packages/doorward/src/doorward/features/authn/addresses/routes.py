"""/sign-in/address: an address, and the code that was sent there, before a sign-in goes on."""

from __future__ import annotations

from typing import ClassVar, Final, final

from doorward.core.model.message import EmailChallenge
from doorward.core.model.signin import SignIn
from doorward.features.authn.addresses.service import ProveAddress
from doorward.features.authn.addresses.views import AddressCodeView, GiveAddressView
from doorward.features.authn.email_challenges.pages import AddressAndCodePages
from doorward.features.authn.email_challenges.problems import missed, waiting
from doorward.features.authn.email_challenges.rules import Missed
from doorward.features.authn.flow.last_used import PROVIDER
from doorward.features.authn.flow.pages import ticket_of, with_flow
from doorward.features.authn.flow.routed import elsewhere
from doorward.features.authn.flow.rules.routing import RoutedDomain
from doorward.features.authn.flow.waiting_person import WaitingPerson
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.browser_context import (
    BrowserContext,
    PagePost,
    PageVisit,
    StalePost,
)
from doorward.web.http import EarlyResponse, Response
from doorward.web.page import page
from doorward.web.pages.views.problems import FormProblem, Wrong

PATH: Final = "/sign-in/address"
CHECK: Final = f"{PATH}/check"
RESEND: Final = f"{PATH}/resend"
CONNECT: Final = {"provider": "/sign-in/provider/account", "directory": "/account/methods/directory"}
"""Where the owner of an account that is there already connects it."""
NOT_SENT: Final = {
    "missing": Wrong.EMAIL_MISSING,
    "invalid": Wrong.EMAIL_INVALID,
    "beyond_ascii": Wrong.EMAIL_BEYOND_ASCII,
}


@final
class AddressPages(AddressAndCodePages, frozen=True, kw_only=True):
    """The page for the address, and the one for the code. A step that is over leads on with the sign-in, whatever has become of it."""

    path: ClassVar[str] = PATH
    ask_takes: ClassVar[str] = "flow ticket"
    addresses: ProveAddress

    async def ask(self, visit: PageVisit) -> Response:
        """The form for the address. Viewing it sends nothing."""
        browser, found = await self._waiting(visit.browser, visit.query, visit.query.get("flow"))
        return self._form(browser, found, WaitingPerson.stored(found.payload).stated)

    async def ask_again(self, post: StalePost) -> Response:
        """The form, with the address that was typed."""
        await self.flow.lead_onward(post.browser, post.form.get("flow"))
        browser, found = await self._waiting(post.browser, post.query, post.form.get("flow"))
        return self._form(browser, found, post.form.get("email", ""), post.problem)

    async def answer(self, post: PagePost) -> Response:
        """Send a code to an address."""
        browser, found = await self._waiting(post.browser, post.query, post.form.get("flow"))
        typed = post.form.get("email", "")
        outcome = await self.addresses.send(
            found, typed, locale=browser.context.locale, caller=browser.caller, now=browser.now
        )
        match outcome:
            case EmailChallenge():
                return browser.go(with_flow(f"{CHECK}?ticket={outcome.id}", found.sign_in_id))
            case Wait():
                return self._form(browser, found, typed, waiting(outcome))
            case RoutedDomain():
                return elsewhere(browser, found.sign_in_id, outcome, typed)
            case None:
                return self._form(browser, found, typed, FormProblem(Wrong.CHANGED_MEANWHILE))
            case _:
                return self._form(browser, found, typed, email_problem=FormProblem(NOT_SENT[outcome]))

    async def check(self, visit: PageVisit) -> Response:
        """The form for the code: the same words whatever was sent."""
        browser, challenge, found = await self._sent(visit.browser, visit.query, visit.query.get("flow"))
        return self._check(browser, challenge, found, None, resent="resent" in visit.query)

    async def check_again(self, post: StalePost) -> Response:
        """The same form once more, in the browser that asked for the code."""
        await self.flow.lead_onward(post.browser, post.form.get("flow"))
        browser, challenge, found = await self._sent(post.browser, post.query, post.form.get("flow"))
        return self._check(browser, challenge, found, post.problem)

    async def check_code(self, post: PagePost) -> Response:
        """Enter the code."""
        browser, challenge, found = await self._sent(post.browser, post.query, post.form.get("flow"))
        code = post.form.get("code", "")
        if not code.strip():
            return self._check(browser, challenge, found, FormProblem(Wrong.CODE_MISSING))
        outcome = await self.addresses.prove(challenge.id, code, caller=browser.caller, now=browser.now)
        if isinstance(outcome, Wait) or (isinstance(outcome, Missed) and outcome.why == "spent"):
            return self._check(browser, challenge, found, missed(outcome))
        if isinstance(outcome, Missed):
            return self._check(browser, challenge, found, FormProblem(Wrong.CODE_WRONG))
        sign_in, person = outcome
        if person.by == "provider":
            browser.remember_used(PROVIDER, person.source)
        else:
            browser.remember_used("password")
        if sign_in is None:
            return await self.flow.load_and_follow(browser, found.sign_in_id or "")
        return await self.flow.follow_proof(browser, sign_in)

    async def resend(self, post: PagePost) -> Response:
        """Send another code; the earlier one stops working."""
        browser, challenge, found = await self._sent(post.browser, post.query, post.form.get("flow"))
        outcome = await self.addresses.send(
            found,
            challenge.email,
            locale=browser.context.locale,
            caller=browser.caller,
            now=browser.now,
            replaces=challenge,
        )
        if isinstance(outcome, EmailChallenge):
            return browser.go(with_flow(f"{CHECK}?ticket={outcome.id}&resent=1", found.sign_in_id))
        if isinstance(outcome, Wait):
            return self._check(browser, challenge, found, waiting(outcome))
        return browser.go(with_flow(f"{PATH}?ticket={found.id}", found.sign_in_id))

    async def _waiting(
        self, browser: BrowserContext, query: dict[str, str], flow: str | None
    ) -> tuple[BrowserContext, EmailChallenge]:
        """Who waits in this browser; else `EarlyResponse` leads on."""
        ticket = ticket_of(query)
        found = (
            await self.addresses.waiting(ticket, caller=browser.caller, now=browser.now) if ticket else None
        )
        if found is None:
            raise EarlyResponse(await self._over(browser, flow))
        return await self._of_app(browser, found), found

    async def _sent(
        self, browser: BrowserContext, query: dict[str, str], flow: str | None
    ) -> tuple[BrowserContext, EmailChallenge, EmailChallenge]:
        """The code that was sent in this browser, and who waits for it; else `EarlyResponse` leads on."""
        ticket = ticket_of(query)
        found = await self.addresses.sent(ticket, caller=browser.caller, now=browser.now) if ticket else None
        if found is None:
            raise EarlyResponse(await self._over(browser, flow))
        return await self._of_app(browser, found[1]), *found

    async def _over(self, browser: BrowserContext, flow: str | None) -> Response:
        """The next step of the sign-in. Only an id that is none of ours leads to a plain one."""
        return await self.flow.load_and_follow(browser, flow) if flow else browser.go("/sign-in")

    async def _of_app(self, browser: BrowserContext, found: EmailChallenge) -> BrowserContext:
        sign_in = await self.flow.sign_ins.get(found.sign_in_id or "")
        return browser if sign_in is None else await self.flow.for_app_of(browser, sign_in)

    def _form(
        self,
        browser: BrowserContext,
        found: EmailChallenge,
        email: str,
        problem: FormProblem | None = None,
        email_problem: FormProblem | None = None,
    ) -> Response:
        person = WaitingPerson.stored(found.payload)
        view = GiveAddressView(
            label=person.label,
            action=f"{PATH}?ticket={found.id}",
            flow=found.sign_in_id,
            email=email[:254],
            connect=None if person.account_id else CONNECT[person.by],
            problem=problem,
            email_problem=email_problem,
        )
        return page(view, browser)

    def _check(
        self,
        browser: BrowserContext,
        challenge: EmailChallenge,
        found: EmailChallenge,
        problem: FormProblem | None,
        *,
        resent: bool = False,
    ) -> Response:
        view = AddressCodeView(
            action=f"{CHECK}?ticket={challenge.id}",
            resend_action=f"{RESEND}?ticket={challenge.id}",
            email=challenge.email,
            back=f"{PATH}?ticket={found.id}",
            cancel="/sign-in",
            flow=found.sign_in_id,
            minutes=self.addresses.minutes,
            resent=resent,
            problem=problem,
        )
        return page(view, browser)


async def lead(
    addresses: ProveAddress, browser: BrowserContext, sign_in: SignIn, person: WaitingPerson
) -> Response:
    """To the page for the address, which waits for this person in this browser."""
    ticket = await addresses.begin(person, sign_in, caller=browser.caller, now=browser.now)
    return browser.go(with_flow(f"{PATH}?ticket={ticket}", sign_in.id))
