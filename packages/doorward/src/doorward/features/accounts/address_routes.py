"""/account/address: the owner of an account adds an address or changes it, after a recent sign-in (R73)."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.message import EmailChallenge
from doorward.features.accounts.change_address import ChangeAddress
from doorward.features.authn.addresses.routes import NOT_SENT
from doorward.features.authn.addresses.views import AddressCodeView
from doorward.features.authn.email_challenges.problems import missed, waiting
from doorward.features.authn.email_challenges.rules import Missed
from doorward.features.authn.flow.pages import ticket_of
from doorward.features.authn.flow.rules.routing import RoutedDomain
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.signed_in_pages import (
    SignedIn,
    SignedInPages,
    SignedInPost,
    SignedInRefusedPost,
    SignedInVisit,
)
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views.account import AddressView, Done
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.route import Route

PATH: Final = "/account/address"
CHECK: Final = f"{PATH}/check"
RESEND: Final = f"{PATH}/resend"
_PROFILE: Final = "/account"
_WRONG: Final = {**NOT_SENT, "unchanged": Wrong.EMAIL_UNCHANGED}


@final
class AddressHandlers(Struct, frozen=True, kw_only=True):
    """The field for the new address, and the one for the code."""

    own: SignedInPages
    changing: ChangeAddress

    async def show(self, visit: SignedInVisit) -> Response:
        """The form."""
        return self._form(visit, "")

    async def show_again(self, post: SignedInRefusedPost) -> Response:
        """The form, with the address that was typed."""
        return self._form(post, post.form.get("email", ""), problem=post.problem)

    async def send(self, post: SignedInPost) -> Response:
        """Send a code to the new address."""
        return await self._send(post, post.form.get("email", ""), None)

    async def check(self, visit: SignedInVisit) -> Response:
        """The form for the code: the same words whatever was sent."""
        found = await self._waiting(visit, ticket_of(visit.query))
        if found is None:
            return visit.browser.go(PATH)
        return self._check(visit, found, None, resent="resent" in visit.query)

    async def check_again(self, post: SignedInRefusedPost) -> Response:
        """The same form once more."""
        found = await self._waiting(post, ticket_of(post.form))
        return post.browser.go(PATH) if found is None else self._check(post, found, post.problem)

    async def confirm(self, post: SignedInPost) -> Response:
        """Change the address with the code that was sent to it."""
        found, code = await self._waiting(post, ticket_of(post.form)), post.form.get("code", "")
        if found is None:
            return post.browser.go(PATH)
        if not code.strip():
            return self._check(post, found, FormProblem(Wrong.CODE_MISSING))
        outcome = await self.changing.confirm(
            post.account,
            post.session,
            found.id,
            code,
            caller=post.browser.caller,
            now=post.browser.now,
        )
        match outcome:
            case Account():
                return self.own.done(post, _PROFILE, Done.ADDRESS_CHANGED)
            case Missed(why="spent") | Wait():
                return self._check(post, found, missed(outcome))
            case Missed():
                return self._check(post, found, FormProblem(Wrong.CODE_WRONG))

    async def resend(self, post: SignedInPost) -> Response:
        """Send another code; the earlier one stops working."""
        found = await self._waiting(post, ticket_of(post.form))
        return post.browser.go(PATH) if found is None else await self._send(post, found.email, found)

    def routes(self) -> list[Route]:
        """Routes of both forms. An old page leads to the first one."""
        own = self.own
        return [
            own.get(PATH, self.show, recent=True),
            own.post(PATH, self.send, refused=self.show_again, back=PATH, recent=True, takes="email"),
            own.get(CHECK, self.check, recent=True, takes="ticket resent"),
            own.post(
                CHECK, self.confirm, refused=self.check_again, back=PATH, recent=True, takes="ticket code"
            ),
            own.pages.lead(RESEND, PATH),
            own.post(RESEND, self.resend, refused=self.check_again, back=PATH, recent=True, takes="ticket"),
        ]

    async def _send(self, post: SignedInPost, typed: str, replaces: EmailChallenge | None) -> Response:
        browser = post.browser
        outcome = await self.changing.send(
            post.account,
            typed,
            locale=browser.context.locale,
            caller=browser.caller,
            now=browser.now,
            replaces=replaces,
        )
        again = "&resent=1" if replaces is not None else ""
        match outcome:
            case EmailChallenge():
                return browser.go(f"{CHECK}?ticket={outcome.id}{again}")
            case Wait() if replaces is not None:
                return self._check(post, replaces, waiting(outcome))
            case Wait():
                return self._form(post, typed, problem=waiting(outcome))
            case RoutedDomain(label=label):
                return self._form(post, typed, kept_by=label)
            case "not_yet":
                return self._form(post, typed, problem=FormProblem(Wrong.NOT_YET))
            case _:
                return self._form(post, typed, email_problem=FormProblem(_WRONG[outcome]))

    async def _waiting(self, owner: SignedIn, ticket: str | None) -> EmailChallenge | None:
        browser = owner.browser
        if ticket is None:
            return None
        return await self.changing.waiting(owner.account, ticket, browser.caller, browser.now)

    def _form(
        self,
        owner: SignedIn,
        typed: str,
        *,
        kept_by: str | None = None,
        problem: FormProblem | None = None,
        email_problem: FormProblem | None = None,
    ) -> Response:
        kept = self.changing.kept_by(owner.account)
        view = AddressView(
            email=owner.account.email,
            typed=typed[:254],
            kept_by=kept.label if kept is not None else None,
            refused_for=None if kept is not None else kept_by,
            problem=problem,
            email_problem=email_problem,
        )
        return page(view, owner.browser)

    def _check(
        self, owner: SignedIn, found: EmailChallenge, problem: FormProblem | None, *, resent: bool = False
    ) -> Response:
        view = AddressCodeView(
            action=CHECK,
            resend_action=RESEND,
            ticket=found.id,
            email=found.email,
            back=PATH,
            cancel=_PROFILE,
            minutes=self.changing.minutes,
            resent=resent,
            problem=problem,
        )
        return page(view, owner.browser)
