"""Setting up of an authenticator app: a QR code, then a code of the app; the answer shows the recovery codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from doorward.core.model.policy import FactorKind
from doorward.features.authn.flow.enrolment import Enrolling, Enrolment, EnrolmentPages
from doorward.features.authn.methods.service import NewApp, SecondFactors, Setup, SetupOver
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.web.http import EarlyResponse, Response
from doorward.web.page import page
from doorward.web.pages.views.account import Done, TotpSetup
from doorward.web.pages.views.enrolment import APP_HELP, APP_LINK
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.route import Route


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorEnrolment(Enrolment):
    """The pages of `SecondFactors.begin` and `confirm`."""

    kind: ClassVar[FactorKind] = "totp"
    path: ClassVar[str] = "authenticator"
    link: ClassVar[str] = APP_LINK
    help: ClassVar[str] = APP_HELP
    factors: SecondFactors

    def routes(self, pages: EnrolmentPages) -> Sequence[Route]:
        """The page and its form."""
        return [
            *pages.get(self.kind, self.path, self.show),
            *pages.post(
                self.kind, self.path, self.confirm, refused=self.show_again, takes="setup code password"
            ),
        ]

    async def show(self, enrolling: Enrolling) -> Response:
        """Set up an authenticator app: a QR code. Nothing is set up until the app's code comes back."""
        owner = enrolling.owner
        setup = self.factors.begin(owner.account, owner.binding, enrolling.browser.now)
        return _page(enrolling, setup, None)

    async def show_again(self, enrolling: Enrolling) -> Response:
        """The same QR code."""
        return _page(enrolling, self._setup_of(enrolling), enrolling.problem)

    async def confirm(self, enrolling: Enrolling) -> Response:
        """Confirm the authenticator app with a code; the answer shows the recovery codes, this once."""
        owner, browser, code = enrolling.owner, enrolling.browser, enrolling.form.get("code", "")
        again = self._setup_of(enrolling)
        if not code.strip():
            return _page(enrolling, again, FormProblem(Wrong.CODE_MISSING))
        outcome = await self.factors.confirm(
            owner.account,
            owner.binding,
            sealed=enrolling.form.get("setup", ""),
            typed=code[:64],
            caller=browser.caller,
            now=browser.now,
            session_id=owner.session_id,
        )
        if isinstance(outcome, NewApp):
            return await enrolling.pages.enrolled(
                enrolling, outcome.factor, Done.AUTHENTICATOR_ADDED, codes=outcome.codes
            )
        if isinstance(outcome, SetupOver):
            return enrolling.go(self.path)
        if isinstance(outcome, Wait):
            return _page(enrolling, again, FormProblem(Wrong.TOO_MANY_TRIES, at=outcome.until))
        return _page(enrolling, again, FormProblem(Wrong.CODE_WRONG))

    def _setup_of(self, enrolling: Enrolling) -> Setup:
        """The setup to which a form belongs; `EarlyResponse` redirects to a new one if it has expired."""
        owner, sealed = enrolling.owner, enrolling.form.get("setup", "")
        again = self.factors.shown_again(owner.account, owner.binding, sealed, enrolling.browser.now)
        if again is None:
            raise EarlyResponse(enrolling.go(self.path))
        return again


def _page(enrolling: Enrolling, setup: Setup, problem: FormProblem | None) -> Response:
    view = TotpSetup(
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
