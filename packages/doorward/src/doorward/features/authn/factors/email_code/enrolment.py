"""Setting up of codes by mail: an address, then the code that was sent there; and their removal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, final

from doorward.core.abstract_struct import AbstractStruct
from doorward.core.model.policy import FactorKind
from doorward.features.authn.factors.email_code.owning import OwnMailCodes
from doorward.features.authn.factors.email_code.views import (
    CARD_TEXT,
    CARD_TITLE,
    MAIL_HELP,
    MAIL_LINK,
    MailCodesDone,
    MailCodesView,
)
from doorward.features.authn.flow.enrolment import (
    METHODS,
    Enrolling,
    Enrolment,
    EnrolmentPages,
    NewFactor,
    Owner,
)
from doorward.features.authn.flow.rules import sent_code as rule
from doorward.features.authn.flow.rules.sent_code import NotYet
from doorward.features.authn.flow.sent_code import Undeliverable
from doorward.features.authn.flow.sent_code_page import NOT_YET, DeliveryAnswer
from doorward.features.authn.flow.shown import CardOwner, MethodCards
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.signed_in_pages import SignedIn, SignedInPost, SignedInRefusedPost
from doorward.web.http import Response, json_response
from doorward.web.page import page
from doorward.web.pages.views.account import MethodCard
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.words import Words, calm
from doorward.web.route import Route

_SEND: Final = "email/send"
_DELIVERY: Final = "email/delivery"
_REMOVE: Final = f"{METHODS}/email/remove"


@final
class MailCodesEnrolment(AbstractStruct, Enrolment, MethodCards, frozen=True, kw_only=True):
    """The pages of `OwnMailCodes`."""

    kind: ClassVar[FactorKind] = "email_code"
    path: ClassVar[str] = "email"
    link: ClassVar[str] = MAIL_LINK
    help: ClassVar[str] = MAIL_HELP
    codes: OwnMailCodes

    async def card(self, owner: CardOwner) -> MethodCard | None:
        """Where the codes go, if they are set up. None without, where nobody can set them up."""
        row = next((row for row in owner.rows if row.kind == self.kind), None)
        if row is None and self.kind not in owner.allowed:
            return None
        words = Words(owner.locale)
        target = self.codes.delivery.target(owner.account, row) if row is not None else None
        return MethodCard(
            id="mail-codes",
            icon="mail",
            title=words.text(CARD_TITLE),
            text=words.text(CARD_TEXT, address=calm(target)) if target is not None else words.text(MAIL_HELP),
            added_at=row.created_at if row is not None else None,
            set_up=f"{METHODS}/{self.path}" if self.kind in owner.allowed else None,
            remove=_REMOVE if row is not None else None,
        )

    def routes(self, pages: EnrolmentPages) -> Sequence[Route]:
        """The page, the form for the address, the form for the code, and the removal."""

        async def remove(post: SignedInPost) -> Response:
            """Remove codes by mail."""
            outcome = await self.codes.delete(
                post.account, post.session, caller=post.browser.caller, now=post.browser.now
            )
            if outcome is None:
                return pages.own.done(post, METHODS, MailCodesDone.REMOVED)
            if outcome == "gone":
                return post.browser.go(METHODS)
            return await self._page(_of(pages, post), _problem(outcome))

        async def stay(post: SignedInRefusedPost) -> Response:
            """The page of codes by mail; nothing was removed."""
            return await self._page(_of(pages, post), post.problem)

        return [
            *pages.get(self.kind, self.path, self.show),
            *pages.post(self.kind, self.path, self.confirm, refused=self.show, takes="code"),
            *pages.get(self.kind, _SEND, self.reload),
            *pages.get(self.kind, _DELIVERY, self.delivery, json=DeliveryAnswer),
            *pages.post(self.kind, _SEND, self.send, refused=self.show, takes="address"),
            pages.own.pages.lead(_REMOVE, METHODS),
            pages.own.post(_REMOVE, remove, refused=stay, back=METHODS, recent=True),
        ]

    async def show(self, enrolling: Enrolling) -> Response:
        """The field for the address, or for the code that was sent there. A GET never sends one."""
        return await self._page(enrolling, enrolling.problem)

    async def reload(self, enrolling: Enrolling) -> Response:
        """Leads to the page, after a reload of the answer to its form."""
        return enrolling.go(self.path)

    async def delivery(self, enrolling: Enrolling) -> Response:
        """What is known of the message with the code, for a page that stays open."""
        waiting = await self.codes.waiting(enrolling.owner, enrolling.browser.now)
        state = "under_way" if waiting is None else await self.codes.delivery.state(waiting[0])
        return json_response(DeliveryAnswer(state))

    async def send(self, enrolling: Enrolling) -> Response:
        """Send a code to the address."""
        browser, typed = enrolling.browser, enrolling.form.get("address", "")
        outcome = await self.codes.send(
            enrolling.owner, typed, locale=browser.context.locale, caller=browser.caller, now=browser.now
        )
        match outcome:
            case "invalid":
                wrong = FormProblem(Wrong.EMAIL_INVALID)
            case "beyond_ascii":
                wrong = FormProblem(Wrong.EMAIL_BEYOND_ASCII)
            case "closed" | NotYet() | Wait() | Undeliverable():
                return await self._page(enrolling, _problem(outcome))
            case _:
                return enrolling.go(self.path)
        return await self._page(enrolling, None, typed=typed, wrong=wrong)

    async def confirm(self, enrolling: Enrolling) -> Response:
        """Set up codes by mail with the code that was sent."""
        browser, code = enrolling.browser, enrolling.form.get("code", "")
        if not code.strip():
            return await self._page(enrolling, FormProblem(Wrong.CODE_MISSING))
        outcome = await self.codes.confirm(enrolling.owner, code[:64], caller=browser.caller, now=browser.now)
        if isinstance(outcome, NewFactor):
            return await enrolling.pages.enrolled(enrolling, outcome, MailCodesDone.ADDED)
        wrong = FormProblem(Wrong.CODE_WRONG) if outcome == "wrong" else _problem(outcome)
        return await self._page(enrolling, wrong)

    async def _page(
        self,
        enrolling: Enrolling,
        problem: FormProblem | None,
        *,
        typed: str | None = None,
        wrong: FormProblem | None = None,
    ) -> Response:
        now, account = enrolling.browser.now, enrolling.owner.account
        waiting = await self.codes.waiting(enrolling.owner, now)
        again_at = waiting[0].created_at + rule.PAUSE if waiting is not None else now
        view = MailCodesView(
            account=account.shown_as,
            address=typed
            if typed is not None
            else waiting[1]
            if waiting is not None
            else account.email or "",
            sent_to=waiting[1] if waiting is not None else None,
            again_at=again_at if again_at > now else None,
            delivery="under_way" if waiting is None else await self.codes.delivery.state(waiting[0]),
            action=enrolling.place(self.path),
            send_action=enrolling.place(_SEND),
            watch=enrolling.place(_DELIVERY),
            trust=enrolling.trust,
            back=enrolling.back,
            flow=enrolling.flow,
            problem=problem,
            address_problem=wrong,
        )
        return page(view, enrolling.browser)


def _of(pages: EnrolmentPages, post: SignedIn) -> Enrolling:
    return Enrolling(pages=pages, owner=Owner.of(post), browser=post.browser, form={}, signed_in=post)


def _problem(outcome: NotYet | Wait | Undeliverable | str) -> FormProblem:
    match outcome:
        case NotYet(until=until, why=why):
            return FormProblem(NOT_YET[why], at=until)
        case Wait(until=until):
            return FormProblem(Wrong.TOO_MANY_TRIES, at=until)
        case Undeliverable():
            return FormProblem(Wrong.CODE_UNDELIVERABLE)
        case "last":
            return FormProblem(Wrong.LAST_STEP)
        case "over":
            return FormProblem(Wrong.CHANGED_MEANWHILE)
        case _:
            return FormProblem(Wrong.NOT_YET)
