"""Setting up of a phone: its number, then the code that was sent to it. Here its owner removes it, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, final

from doorward.core.abstract_struct import AbstractStruct
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.policy import FactorKind
from doorward.core.model.secret import Secret
from doorward.features.authn.factors.sms.messages import CARD_TEXT
from doorward.features.authn.factors.sms.rules.phone import stored
from doorward.features.authn.factors.sms.service import Phones
from doorward.features.authn.factors.sms.views import (
    PHONE_HELP,
    PHONE_LINK,
    PhoneDone,
    PhoneLine,
    PhoneNewView,
    PhoneProofView,
    PhoneRemoveView,
    PhoneWrong,
)
from doorward.features.authn.flow.enrolment import METHODS, Enrolling, Enrolment, EnrolmentPages, Owner
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.rules.sent_code import NotYet
from doorward.features.authn.flow.sent_code import CodeSent, Undeliverable
from doorward.features.authn.flow.sent_code_page import DeliveryAnswer
from doorward.features.authn.flow.shown import CardOwner, MethodCards
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.signed_in_pages import SignedIn, SignedInPost, SignedInRefusedPost
from doorward.web.http import EarlyResponse, Response, json_response
from doorward.web.page import page
from doorward.web.pages.views.account import MethodCard
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.words import Words
from doorward.web.route import Route

PLACE: Final = f"{METHODS}/phone"
REMOVE: Final = f"{PLACE}/remove"
_DELIVERY: Final = "phone/delivery"
_OF_NUMBER: Final = {
    "unreadable": PhoneWrong.UNREADABLE,
    "invalid": PhoneWrong.UNREADABLE,
    "not_mobile": PhoneWrong.NOT_MOBILE,
    "country": PhoneWrong.COUNTRY,
    "known": PhoneWrong.KNOWN,
}
_OF_PAGE: Final = {"enough": PhoneWrong.FULL, "not_yet": Wrong.NOT_YET}


@final
class PhoneEnrolment(AbstractStruct, Enrolment, MethodCards, frozen=True, kw_only=True):
    """The pages of `Phones`."""

    kind: ClassVar[FactorKind] = "sms"
    path: ClassVar[str] = "phone"
    link: ClassVar[str] = PHONE_LINK
    help: ClassVar[str] = PHONE_HELP
    phones: Phones
    factors: OfferedFactors

    async def card(self, owner: CardOwner) -> MethodCard | None:
        """The phones that are set up. None without any, where nobody can add one."""
        words, mine = Words(owner.locale), [row for row in owner.rows if row.kind == self.kind]
        allowed = self.kind in owner.allowed
        if not mine and not allowed:
            return None
        numbers = ", ".join(stored(self.phones.number(row)).masked for row in mine)
        return MethodCard(
            id="phone",
            icon="phone",
            title=words.text(PHONE_LINK),
            text=words.text(CARD_TEXT, numbers=numbers) if mine else words.text(PHONE_HELP),
            added_at=mine[0].created_at if mine else None,
            set_up=PLACE if allowed else None,
            remove=REMOVE if mine else None,
        )

    def routes(self, pages: EnrolmentPages) -> Sequence[Route]:
        """The page of the number, that of the code, and the removal."""
        code = f"{self.path}/code"

        async def remove(post: SignedInPost) -> Response:
            """Remove a phone. Raises `HashingBusy`."""
            return await self._remove(pages, post)

        async def remove_again(post: SignedInRefusedPost) -> Response:
            """The question for the password, or the page of phones."""
            row = await self._row(post.account, post.form.get("factor", ""))
            if row is None or "password" not in post.form:
                return post.browser.go(METHODS)
            return self._ask_password(post, row, post.problem)

        return [
            *pages.get(self.kind, self.path, self.show),
            *pages.post(self.kind, self.path, self.send, refused=self.show, takes="number"),
            *pages.get(self.kind, code, self.ask),
            *pages.get(self.kind, _DELIVERY, self.delivery, json=DeliveryAnswer),
            *pages.post(self.kind, code, self.confirm, refused=self.ask, takes="code again"),
            pages.own.pages.lead(REMOVE, PLACE),
            pages.own.post(
                REMOVE, remove, refused=remove_again, back=PLACE, recent=True, takes="factor password"
            ),
        ]

    async def show(self, enrolling: Enrolling) -> Response:
        """The page for the number, with the phones that are there."""
        return await self._number(enrolling, problem=enrolling.problem)

    async def send(self, enrolling: Enrolling) -> Response:
        """Send a code to the number."""
        owner, browser = enrolling.owner, enrolling.browser
        outcome = await self.phones.begin(
            owner.account,
            enrolling.form.get("number", ""),
            binding=owner.binding,
            locale=browser.context.locale,
            caller=browser.caller,
            now=browser.now,
        )
        match outcome:
            case CodeSent():
                return enrolling.go(f"{self.path}/code")
            case NotYet(until=until) | Wait(until=until):
                return await self._number(enrolling, problem=FormProblem(PhoneWrong.WAIT, at=until))
            case Undeliverable():
                return await self._number(enrolling, wrong=FormProblem(PhoneWrong.COUNTRY))
            case "enough" | "not_yet":
                return await self._number(enrolling, problem=FormProblem(_OF_PAGE[outcome]))
            case _:
                return await self._number(enrolling, wrong=FormProblem(_OF_NUMBER[outcome]))

    async def ask(self, enrolling: Enrolling) -> Response:
        """The page for the code that is on its way."""
        return await self._code(enrolling, enrolling.problem)

    async def delivery(self, enrolling: Enrolling) -> Response:
        """What is known of the message with the code, for a page that stays open."""
        under_way = await self.phones.under_way(enrolling.owner.binding, enrolling.browser.now)
        return json_response(DeliveryAnswer("under_way" if under_way is None else under_way.delivery))

    async def confirm(self, enrolling: Enrolling) -> Response:
        """Enter the code, or have another one sent."""
        owner, browser, typed = enrolling.owner, enrolling.browser, enrolling.form.get("code", "")
        if enrolling.form.get("again"):
            return await self._again(enrolling)
        if not typed.strip():
            return await self._code(enrolling, FormProblem(Wrong.CODE_MISSING))
        shown = await self.phones.proven(owner.account, typed, binding=owner.binding, now=browser.now)
        if shown is None:
            return await self._code(enrolling, FormProblem(Wrong.CODE_WRONG))
        if isinstance(shown, Wait):
            return await self._code(enrolling, FormProblem(Wrong.TOO_MANY_TRIES, at=shown.until))
        new = self.phones.added(
            owner.account, *shown, session_id=owner.session_id, caller=browser.caller, now=browser.now
        )
        return await enrolling.pages.enrolled(enrolling, new, PhoneDone.ADDED)

    async def _again(self, enrolling: Enrolling) -> Response:
        owner, browser = enrolling.owner, enrolling.browser
        outcome = await self.phones.again(
            owner.account,
            binding=owner.binding,
            locale=browser.context.locale,
            caller=browser.caller,
            now=browser.now,
        )
        match outcome:
            case None:
                return enrolling.go(self.path)
            case NotYet(until=until) | Wait(until=until):
                return await self._code(enrolling, FormProblem(PhoneWrong.WAIT, at=until))
            case Undeliverable():
                return await self._code(enrolling, FormProblem(PhoneWrong.COUNTRY))
            case CodeSent():
                return await self._code(enrolling, None, resent=True)

    async def _remove(self, pages: EnrolmentPages, post: SignedInPost) -> Response:
        account, browser = post.account, post.browser
        rows = await self.phones.factors_of(account)
        row = _chosen(rows, post.form.get("factor", ""))
        if row is None:
            return browser.go(METHODS)
        left = [one for one in rows if one.id != row.id]
        if not await pages.flow.sign_in_flow.enough(account, left, browser.now):
            return await self._number(_of(pages, post), problem=FormProblem(Wrong.LAST_STEP))
        if account.password_hash is not None and not self.factors.beside_password(account, left):
            if "password" not in post.form:
                return self._ask_password(post, row, None)
            typed = post.form["password"]
            if not typed:
                return self._ask_password(post, row, None, FormProblem(Wrong.PASSWORD_MISSING))
            problem = await pages.password_alone(account, Secret(typed), browser.caller, browser.now)
            if problem is not None:
                return self._ask_password(post, row, None, problem)
        outcome = await self.phones.remove_phone(
            account,
            row,
            self.factors.orphaned,
            rows=rows,
            also=pages.flow.sign_in_flow.unmet(account, left),
            session_id=post.session.id,
            caller=browser.caller,
            now=browser.now,
        )
        if isinstance(outcome, Wait):
            return self._ask_password(post, row, FormProblem(Wrong.TOO_MANY_TRIES, at=outcome.until))
        return pages.own.done(post, METHODS, PhoneDone.REMOVED) if outcome else browser.go(METHODS)

    async def _row(self, account: Account, factor_id: str) -> EnrolledFactor | None:
        """The phone with this id; without one the newest, as from its card."""
        return _chosen(await self.phones.of_account(account), factor_id)

    def _ask_password(
        self,
        owner: SignedIn,
        row: EnrolledFactor,
        problem: FormProblem | None,
        password_problem: FormProblem | None = None,
    ) -> Response:
        view = PhoneRemoveView(
            action=REMOVE,
            back=METHODS,
            account=owner.account.shown_as,
            factor=row.id,
            number=stored(self.phones.number(row)).masked,
            problem=problem,
            password_problem=password_problem,
        )
        return page(view, owner.browser)

    async def _number(
        self, enrolling: Enrolling, *, problem: FormProblem | None = None, wrong: FormProblem | None = None
    ) -> Response:
        rows = [] if enrolling.signed_in is None else await self.phones.of_account(enrolling.owner.account)
        view = PhoneNewView(
            action=enrolling.place(self.path),
            back=enrolling.back,
            account=enrolling.owner.account.shown_as,
            flow=enrolling.flow,
            number=enrolling.form.get("number", "")[:40],
            number_problem=wrong,
            problem=problem,
            phones=tuple(
                PhoneLine(row.id, stored(self.phones.number(row)).masked, row.created_at) for row in rows
            ),
            remove=REMOVE,
        )
        return page(view, enrolling.browser)

    async def _code(
        self, enrolling: Enrolling, problem: FormProblem | None, *, resent: bool = False
    ) -> Response:
        under_way = await self.phones.under_way(enrolling.owner.binding, enrolling.browser.now)
        if under_way is None:
            raise EarlyResponse(enrolling.go(self.path))
        view = PhoneProofView(
            action=enrolling.place(f"{self.path}/code"),
            change=enrolling.place(self.path),
            back=enrolling.back,
            number=under_way.number,
            flow=enrolling.flow,
            delivery=under_way.delivery,
            watch=enrolling.place(_DELIVERY),
            trust=enrolling.trust,
            resent=resent,
            problem=problem,
        )
        return page(view, enrolling.browser)


def _chosen(rows: Sequence[EnrolledFactor], factor_id: str) -> EnrolledFactor | None:
    phones = [row for row in reversed(rows) if row.kind == PhoneEnrolment.kind]
    return next((row for row in phones if factor_id in {row.id, ""}), None)


def _of(pages: EnrolmentPages, post: SignedInPost) -> Enrolling:
    return Enrolling(pages=pages, owner=Owner.of(post), browser=post.browser, form=post.form, signed_in=post)
