"""Setting up of an authenticator app: a QR code, then a code of the app; the answer shows the recovery codes. And its removal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, final

from doorward.adapters.background import loaded
from doorward.core.abstract_struct import AbstractStruct
from doorward.core.model.policy import FactorKind
from doorward.core.model.secret import Secret
from doorward.features.authn.factors.totp.owning import (
    LastStep,
    Meanwhile,
    OwnAuthenticator,
    Setup,
    SetupOver,
)
from doorward.features.authn.factors.totp.views import (
    ADD_LABEL,
    APP_HELP,
    APP_LINK,
    CARD_OFF,
    CARD_ON,
    REMOVE_LABEL,
    AuthenticatorDone,
    AuthenticatorNewView,
)
from doorward.features.authn.flow.enrolment import METHODS, Enrolling, Enrolment, EnrolmentPages, NewFactor
from doorward.features.authn.flow.shown import CardOwner, MethodCards
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.signed_in_pages import SignedIn, SignedInPost, SignedInRefusedPost
from doorward.web.http import EarlyResponse, Response
from doorward.web.page import page
from doorward.web.pages import qr
from doorward.web.pages.views.account import MethodCard
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sign_in import ReAuth
from doorward.web.pages.words import Words
from doorward.web.route import Route

REMOVE: Final = f"{METHODS}/authenticator/remove"


@final
class AuthenticatorEnrolment(AbstractStruct, Enrolment, MethodCards, frozen=True, kw_only=True):
    """The pages of `OwnAuthenticator`."""

    kind: ClassVar[FactorKind] = "totp"
    path: ClassVar[str] = "authenticator"
    link: ClassVar[str] = APP_LINK
    help: ClassVar[str] = APP_HELP
    always_known: ClassVar[bool] = True
    own: OwnAuthenticator

    async def card(self, owner: CardOwner) -> MethodCard:
        """Whether there is an app, and since when."""
        row = next((row for row in owner.rows if row.kind == self.kind), None)
        say = Words(owner.locale).text
        return MethodCard(
            id="authenticator",
            icon="phone",
            title=say(APP_LINK),
            text=say(CARD_OFF) if row is None else say(CARD_ON),
            added_at=None if row is None else row.created_at,
            set_up=f"{METHODS}/{self.path}" if row is None and self.kind in owner.allowed else None,
            remove=None if row is None else REMOVE,
            add_label=say(ADD_LABEL),
            remove_label=say(REMOVE_LABEL),
        )

    def routes(self, pages: EnrolmentPages) -> Sequence[Route]:
        """The page and its form, and the removal."""

        async def remove(post: SignedInPost) -> Response:
            """Remove the app: first the page that asks for the password, then the removal. Raises `HashingBusy`."""
            return await self._remove(pages, post)

        async def remove_again(post: SignedInRefusedPost) -> Response:
            """The page that asks for the password."""
            return _ask_password(post, post.problem)

        return [
            *pages.get(self.kind, self.path, self.show),
            *pages.post(
                self.kind, self.path, self.confirm, refused=self.show_again, takes="setup code password"
            ),
            pages.own.pages.lead(REMOVE, METHODS),
            pages.own.post(REMOVE, remove, refused=remove_again, back=METHODS, recent=True, takes="password"),
        ]

    async def show(self, enrolling: Enrolling) -> Response:
        """Set up an authenticator app: a QR code. Nothing is set up until the app's code comes back."""
        owner = enrolling.owner
        setup = self.own.begin(owner.account, owner.binding, enrolling.browser.now)
        return await _page(enrolling, setup, None)

    async def show_again(self, enrolling: Enrolling) -> Response:
        """The same QR code."""
        return await _page(enrolling, self._setup_of(enrolling), enrolling.problem)

    async def confirm(self, enrolling: Enrolling) -> Response:
        """Confirm the authenticator app with a code; the answer shows the recovery codes, this once."""
        owner, browser, code = enrolling.owner, enrolling.browser, enrolling.form.get("code", "")
        again = self._setup_of(enrolling)
        if not code.strip():
            return await _page(enrolling, again, FormProblem(Wrong.CODE_MISSING))
        outcome = await self.own.confirm(
            owner.account,
            owner.binding,
            sealed=enrolling.form.get("setup", ""),
            typed=code[:64],
            caller=browser.caller,
            now=browser.now,
            session_id=owner.session_id,
        )
        if isinstance(outcome, NewFactor):
            return await enrolling.pages.enrolled(enrolling, outcome, AuthenticatorDone.ADDED, backup="anew")
        if isinstance(outcome, SetupOver):
            return enrolling.go(self.path)
        if isinstance(outcome, Wait):
            return await _page(enrolling, again, FormProblem(Wrong.TOO_MANY_TRIES, at=outcome.until))
        return await _page(enrolling, again, FormProblem(Wrong.CODE_WRONG))

    async def _remove(self, pages: EnrolmentPages, post: SignedInPost) -> Response:
        password = post.form.get("password")
        if not password and await self.own.removal_needs_password(post.account):
            missing = FormProblem(Wrong.PASSWORD_MISSING) if "password" in post.form else None
            return _ask_password(post, missing)
        outcome = await self.own.remove(
            post.account,
            post.session,
            password=Secret(password) if password else None,
            alone=pages.password_alone,
            caller=post.browser.caller,
            now=post.browser.now,
        )
        match outcome:
            case None:
                return pages.own.done(post, METHODS, AuthenticatorDone.REMOVED)
            case LastStep():
                return await pages.methods(post, FormProblem(Wrong.LAST_STEP))
            case Meanwhile():
                return await pages.methods(post, FormProblem(Wrong.CHANGED_MEANWHILE))
            case Wait(until=until):
                return _ask_password(post, FormProblem(Wrong.TOO_MANY_TRIES, at=until))
            case FormProblem(kind=Wrong.PASSWORD_TOO_SHORT):
                # Shown at the form that solves it: a longer password first, then the app may be removed.
                return await pages.methods(post, outcome)
            case FormProblem():
                return _ask_password(post, outcome)

    def _setup_of(self, enrolling: Enrolling) -> Setup:
        """The setup to which a form belongs; `EarlyResponse` redirects to a new one if it has expired."""
        owner, sealed = enrolling.owner, enrolling.form.get("setup", "")
        again = self.own.shown_again(owner.account, owner.binding, sealed, enrolling.browser.now)
        if again is None:
            raise EarlyResponse(enrolling.go(self.path))
        return again


def _ask_password(owner: SignedIn, problem: FormProblem | None) -> Response:
    view = ReAuth(account=owner.account.shown_as, return_to=METHODS, action=REMOVE, problem=problem)
    return page(view, owner.browser)


async def _page(enrolling: Enrolling, setup: Setup, problem: FormProblem | None) -> Response:
    await loaded(qr.segno)
    view = AuthenticatorNewView(
        uri=setup.uri,
        key=setup.key,
        setup=setup.sealed,
        problem=problem,
        action=enrolling.place(AuthenticatorEnrolment.path),
        back=enrolling.back,
        flow=enrolling.flow,
        trust=enrolling.trust,
    )
    return page(view, enrolling.browser)
