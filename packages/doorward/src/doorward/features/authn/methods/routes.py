"""/account/methods and /account/confirm: the sign-in methods, changed only after a recent proof (R73)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from doorward.core.errors import OAuthError
from doorward.core.model.secret import Secret
from doorward.features.authn.factors.passkeys.cards import PasskeyCards
from doorward.features.authn.factors.password.change import Changed, ChangedMeanwhile, ChangePassword
from doorward.features.authn.factors.password.problems import weak
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.authn.factors.password.service import CheckPassword
from doorward.features.authn.flow.enrolment import METHODS, Enrolment, EnrolmentPages
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.methods.service import LastStep, Meanwhile, SecondFactors
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.signed_in_pages import (
    CONFIRM,
    SignedIn,
    SignedInPages,
    SignedInPost,
    SignedInRefusedPost,
    SignedInVisit,
    own_path,
)
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views import account as views
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import ReAuth
from doorward.web.route import Route

REMOVE: Final = "/account/methods/authenticator/remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodHandlers:
    """Handlers for password, authenticator app, recovery codes, and the page that asks for the password again."""

    own: SignedInPages
    flow: FlowPages
    prove_password: CheckPassword
    change_password: ChangePassword
    factors: SecondFactors
    enrolling: EnrolmentPages
    enrolments: Sequence[Enrolment] = ()
    passkey_cards: PasskeyCards | None = None

    async def show(self, visit: SignedInVisit) -> Response:
        """The sign-in methods, a card for each."""
        return await self._methods(visit, done=self.own.was_done(visit))

    async def show_again(self, post: SignedInRefusedPost) -> Response:
        """The cards, whose forms were not used."""
        return await self._methods(post, problem=post.problem)

    async def change(self, post: SignedInPost) -> Response:
        """Change the password. Raises `HashingBusy`."""
        current, new, browser = post.form.get("current", ""), post.form.get("new", ""), post.browser
        if not current:
            return await self._methods(post, current_problem=FormProblem(Wrong.PASSWORD_MISSING))
        outcome = await self.change_password.change(
            post.account,
            post.session,
            current=Secret(current),
            new=Secret(new),
            caller=browser.caller,
            now=browser.now,
        )
        match outcome:
            case Changed(session=session, session_secret=secret):
                browser.remember_session(secret, session.expires_at - browser.now)
                return self.own.done(post, METHODS, Done.PASSWORD_CHANGED)
            case Weak():
                return await self._methods(post, new_problem=weak(outcome))
            case OAuthError(code="too_many_attempts", retry_at=at):
                problem = FormProblem(Wrong.TOO_MANY_TRIES, at=at)
                return await self._methods(post, problem=problem)
            case OAuthError():
                return await self._methods(post, current_problem=FormProblem(Wrong.PASSWORD_MISMATCH))
            case ChangedMeanwhile():
                return await self._methods(post, problem=FormProblem(Wrong.CHANGED_MEANWHILE))

    async def remove(self, post: SignedInPost) -> Response:
        """Remove the authenticator app: first the page that asks for the password, then the removal. Raises `HashingBusy`."""
        form, password = post.form, post.form.get("password")
        if not password and await self.factors.removal_needs_password(post.account):
            missing = FormProblem(Wrong.PASSWORD_MISSING) if "password" in form else None
            return _ask_password(post, METHODS, REMOVE, missing)
        outcome = await self.factors.remove(
            post.account,
            post.session,
            password=Secret(password) if password else None,
            caller=post.browser.caller,
            now=post.browser.now,
        )
        if outcome is None:
            return self.own.done(post, METHODS, Done.AUTHENTICATOR_REMOVED)
        if isinstance(outcome, Weak):
            # Shown at the form that solves it: a longer password first, then the app may be removed.
            return await self._methods(post, new_problem=weak(outcome))
        if isinstance(outcome, LastStep | Meanwhile):
            wrong = Wrong.LAST_STEP if isinstance(outcome, LastStep) else Wrong.CHANGED_MEANWHILE
            return await self._methods(post, problem=FormProblem(wrong))
        return _ask_password(post, METHODS, REMOVE, _wrong(outcome))

    async def remove_again(self, post: SignedInRefusedPost) -> Response:
        """The page that asks for the password."""
        return _ask_password(post, METHODS, REMOVE, post.problem)

    async def new_codes(self, post: SignedInPost) -> Response:
        """Make new recovery codes, shown this once."""
        browser = post.browser
        made = await self.factors.new_codes(
            post.account, post.session, caller=browser.caller, now=browser.now
        )
        if made is None:
            return browser.go(METHODS)
        if isinstance(made, Wait):
            return await self._methods(post, problem=FormProblem(Wrong.TOO_MANY_TRIES, at=made.until))
        return page(views.RecoveryCodes(made.codes, post.account.shown_as), browser)

    async def confirm(self, visit: SignedInVisit) -> Response:
        """Ask for the password again, or for another first factor."""
        return self._confirm(visit, own_path(visit.query.get("return_to", "")), None)

    async def confirm_again(self, post: SignedInRefusedPost) -> Response:
        """Ask once more."""
        return self._confirm(post, own_path(post.form.get("return_to", "")), post.problem)

    async def confirmed(self, post: SignedInPost) -> Response:
        """Enter the password again, then whatever else this person's sign-in asks for: the same steps as at a sign-in, so that
        confirming asks no less than signing in (R85). Raises `HashingBusy`."""
        browser, back = post.browser, own_path(post.form.get("return_to", ""))
        password = post.form.get("password")
        if "other" in post.form and len(self.flow.factors.first) > 1:
            # from the page of all first factors
            begun = await self.flow.sign_ins.begin(
                browser_hash=browser.browser_hash,
                return_to=back,
                now=browser.now,
                counted_for=_confirming(post),
                fresh=True,
            )
            return await self.flow.follow(browser, begun)
        if not password:
            return self._confirm(post, back, FormProblem(Wrong.PASSWORD_MISSING))
        # The session's proofs do not count here: everything is proven again.
        sign_in = await self.flow.sign_ins.begin(
            browser_hash=browser.browser_hash,
            return_to=back,
            now=browser.now,
            counted_for=_confirming(post),
            fresh=True,
        )
        outcome = await self.prove_password.prove(
            sign_in, post.account.known_as, Secret(password), caller=browser.caller, now=browser.now
        )
        if isinstance(outcome, OAuthError):
            return self._confirm(post, back, _wrong(outcome))
        return await self.flow.follow_proof(browser, outcome)

    def _confirm(self, owner: SignedIn, back: str, problem: FormProblem | None) -> Response:
        others = len(self.flow.factors.first) > 1
        view = ReAuth(
            account=owner.account.shown_as,
            return_to=back,
            # so that a reload by GET keeps the destination
            action=f"{CONFIRM}?return_to={quote(back)}",
            problem=problem,
            password=owner.account.password_hash is not None or not others,
            other=others,
        )
        return page(view, owner.browser)

    async def _methods(
        self,
        owner: SignedIn,
        *,
        done: Said | None = None,
        **problems: FormProblem | None,
    ) -> Response:
        held = await self.factors.there(owner.account)
        passkeys, signals = None, None
        may_add = self.enrolling.allowed("passkey")
        if self.passkey_cards is not None:
            passkeys, signals = await self.passkey_cards.of(owner.account)
            if not passkeys and not may_add:
                passkeys = None
        view = views.Methods(
            account=owner.account.shown_as,
            minimum=self.change_password.judge.minimum(second_factor=held.app_added_at is not None),
            password_changed_at=owner.account.password_changed_at,
            authenticator_added_at=held.app_added_at,
            authenticator_allowed=self.enrolling.allowed("totp"),
            recovery_codes_left=held.codes_left,
            recovery_codes_made=held.codes_made,
            recoverable=held.recoverable,
            cards=tuple(
                await self.enrolling.cards(self.enrolments, owner.account, owner.browser.context.locale)
            ),
            passkeys=passkeys,
            may_add_passkey=may_add,
            signals=signals,
            done=done,
            others=self.flow.ways_to_set_up(owner.browser.context.locale),
            **problems,
        )
        return page(view, owner.browser)

    def routes(self) -> list[Route]:
        """Routes of the methods page and its actions, of the confirmation page, and of the well-known URL that password managers use."""
        password, recovery = "/account/methods/password", "/account/methods/recovery"
        own = self.own
        return [
            own.get(METHODS, self.show),
            own.pages.lead(password, METHODS),
            own.post(
                password, self.change, refused=self.show_again, back=METHODS, recent=True, takes="current new"
            ),
            own.pages.lead(REMOVE, METHODS),
            own.post(
                REMOVE, self.remove, refused=self.remove_again, back=METHODS, recent=True, takes="password"
            ),
            own.pages.lead(recovery, METHODS),
            own.post(
                recovery, self.new_codes, refused=self.show_again, back=METHODS, recent=True, takes="password"
            ),
            own.get(CONFIRM, self.confirm, takes="return_to"),
            own.post(
                CONFIRM,
                self.confirmed,
                refused=self.confirm_again,
                back="/account",
                takes="password code other return_to",
            ),
            # a well-known URL for changing passwords (W3C)
            own.pages.lead("/.well-known/change-password", METHODS),
        ]


def _wrong(error: OAuthError) -> FormProblem:
    if error.code == "too_many_attempts":
        return FormProblem(Wrong.TOO_MANY_TRIES, at=error.retry_at)
    return FormProblem(Wrong.PASSWORD_MISMATCH)


def _confirming(post: SignedInPost) -> str:
    """What the start of a confirmation is counted for: each leaves a row, also with a wrong password. By session, so that a stolen one
    holds nobody else up."""
    return f"confirm {post.session.id}"


def _ask_password(owner: SignedIn, back: str, action: str, problem: FormProblem | None) -> Response:
    view = ReAuth(account=owner.account.shown_as, return_to=back, action=action, problem=problem)
    return page(view, owner.browser)
