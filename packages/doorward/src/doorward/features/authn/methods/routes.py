"""/account/methods and /account/confirm: the sign-in methods, and the password, changed only after a recent proof (R73)."""

from __future__ import annotations

from urllib.parse import quote

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.secret import Secret
from doorward.features.authn.factors.password.change import Changed, ChangedMeanwhile, ChangePassword
from doorward.features.authn.factors.password.problems import weak
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.authn.factors.password.service import CheckPassword
from doorward.features.authn.flow.enrolment import METHODS
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.methods.page import MethodsPage
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
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sign_in import ReAuth
from doorward.web.route import Route


class MethodHandlers(Struct, frozen=True, kw_only=True):
    """Handlers for the page of all methods, the password, and the page that asks for it again."""

    own: SignedInPages
    flow: FlowPages
    prove_password: CheckPassword
    change_password: ChangePassword
    methods: MethodsPage

    async def show(self, visit: SignedInVisit) -> Response:
        """The sign-in methods, a card for each."""
        return await self.methods.show(visit, done=self.own.was_done(visit))

    async def show_again(self, post: SignedInRefusedPost) -> Response:
        """The cards, whose forms were not used."""
        return await self.methods.show(post, problem=post.problem)

    async def change(self, post: SignedInPost) -> Response:
        """Change the password. Raises `HashingBusy`."""
        current, new, browser = post.form.get("current", ""), post.form.get("new", ""), post.browser
        if not current:
            return await self.methods.show(post, current_problem=FormProblem(Wrong.PASSWORD_MISSING))
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
                return await self.methods.show(post, new_problem=weak(outcome))
            case OAuthError(code="too_many_attempts", retry_at=at):
                problem = FormProblem(Wrong.TOO_MANY_TRIES, at=at)
                return await self.methods.show(post, problem=problem)
            case OAuthError():
                return await self.methods.show(post, current_problem=FormProblem(Wrong.PASSWORD_MISMATCH))
            case ChangedMeanwhile():
                return await self.methods.show(post, problem=FormProblem(Wrong.CHANGED_MEANWHILE))

    async def confirm(self, visit: SignedInVisit) -> Response:
        """Ask for the password again, or for another first factor."""
        return await self._confirm(visit, own_path(visit.query.get("return_to", "")), None)

    async def confirm_again(self, post: SignedInRefusedPost) -> Response:
        """Ask once more."""
        return await self._confirm(post, own_path(post.form.get("return_to", "")), post.problem)

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
            return await self._confirm(post, back, FormProblem(Wrong.PASSWORD_MISSING))
        # The session's proofs do not count here: everything is proven again.
        sign_in = await self.flow.sign_ins.begin(
            browser_hash=browser.browser_hash,
            return_to=back,
            now=browser.now,
            counted_for=_confirming(post),
            fresh=True,
        )
        outcome = await self.prove_password.prove(
            sign_in,
            post.account.known_as,
            Secret(password),
            caller=browser.caller,
            now=browser.now,
            account_id=post.account.id,
        )
        if isinstance(outcome, OAuthError):
            return await self._confirm(post, back, _wrong(outcome))
        return await self.flow.follow_proof(browser, outcome)

    async def _confirm(self, owner: SignedIn, back: str, problem: FormProblem | None) -> Response:
        others = len(self.flow.factors.first) > 1
        has_one = owner.account.password_hash is not None
        view = ReAuth(
            account=owner.account.shown_as,
            return_to=back,
            # so that a reload by GET keeps the destination
            action=f"{CONFIRM}?return_to={quote(back)}",
            problem=problem,
            password=has_one or not others or await self.change_password.kept_elsewhere(owner.account),
            other=others,
        )
        return page(view, owner.browser)

    def routes(self) -> list[Route]:
        """Routes of the methods page and its actions, of the confirmation page, and of the well-known URL that password managers use."""
        own, password = self.own, "/account/methods/password"
        return [
            own.get(METHODS, self.show),
            own.pages.lead(password, METHODS),
            own.post(
                password, self.change, refused=self.show_again, back=METHODS, recent=True, takes="current new"
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
