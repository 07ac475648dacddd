"""Setting up of a passkey: on the page of sign-in methods, and inside a sign-in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

import msgspec

from doorward.core.abstract_struct import AbstractStruct
from doorward.core.model.policy import FactorKind
from doorward.features.authn.factors.passkeys.account_routes import problem, second_of
from doorward.features.authn.factors.passkeys.owning import OwnPasskeys, Prepared
from doorward.features.authn.factors.passkeys.rules.proof import SECURITY_KEY, shown
from doorward.features.authn.factors.passkeys.views import (
    PASSKEY_HELP,
    PASSKEY_LINK,
    PasskeyDone,
    PasskeyNewView,
)
from doorward.features.authn.flow.enrolment import Enrolling, Enrolment, EnrolmentPages, NewFactor
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views.problems import FormProblem
from doorward.web.route import Route


@final
class PasskeyEnrolment(AbstractStruct, Enrolment, frozen=True, kw_only=True):
    """The pages of `OwnPasskeys.options` and `prepare`."""

    kind: ClassVar[FactorKind] = "passkey"
    path: ClassVar[str] = "passkeys"
    link: ClassVar[str] = PASSKEY_LINK
    help: ClassVar[str] = PASSKEY_HELP
    passkeys: OwnPasskeys

    def routes(self, pages: EnrolmentPages) -> Sequence[Route]:
        """The page and its form."""
        return [
            *pages.get(self.kind, self.path, self.show),
            *pages.post(self.kind, self.path, self.add, refused=self.show, takes="credential second"),
        ]

    async def show(self, enrolling: Enrolling) -> Response:
        """The page that makes a passkey."""
        return await self._page(enrolling, enrolling.problem)

    async def add(self, enrolling: Enrolling) -> Response:
        """Add the passkey that the browser made."""
        owner, browser = enrolling.owner, enrolling.browser
        outcome = await self.passkeys.prepare(
            owner.account,
            enrolling.form.get("credential", ""),
            binding=owner.binding,
            browser_hash=browser.browser_hash,
            second=second_of(enrolling.form.get("second")),
            caller=browser.caller,
            now=browser.now,
        )
        if not isinstance(outcome, Prepared):
            return await self._page(enrolling, problem(outcome))
        proof = shown(outcome.passkey, outcome.row, user_verified=outcome.user_verified, at=browser.now)
        # nobody is locked out by the loss of a passkey that has a copy elsewhere, or that no sign-in insists on
        asked_for = outcome.row.kind == SECURITY_KEY.kind or owner.sign_in is not None
        return await enrolling.pages.enrolled(
            enrolling,
            NewFactor(row=outcome.row, proof=proof, writes=outcome.writes),
            PasskeyDone.ADDED,
            backup="none" if outcome.passkey.backed_up or not asked_for else "first",
        )

    async def _page(self, enrolling: Enrolling, wrong: FormProblem | None) -> Response:
        owner, browser = enrolling.owner, enrolling.browser
        options = await self.passkeys.options(
            owner.account, binding=owner.binding, browser_hash=browser.browser_hash, now=browser.now
        )
        view = PasskeyNewView(
            options=msgspec.json.encode(options).decode(),
            action=enrolling.place(self.path),
            back=enrolling.back,
            account=owner.account.shown_as,
            flow=enrolling.flow,
            trust=enrolling.trust,
            problem=wrong,
        )
        return page(view, browser)
