"""/account/methods/recovery: new recovery codes, after a recent proof (R73)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from msgspec import Struct

from doorward.features.authn.factors.recovery_codes.owning import OwnRecoveryCodes
from doorward.features.authn.factors.recovery_codes.views import RecoveryCodesView
from doorward.features.authn.flow.enrolment import METHODS, EnrolmentPages
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.signed_in_pages import SignedInPost, SignedInRefusedPost
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.route import Route

RECOVERY: Final = f"{METHODS}/recovery"


@final
class RecoveryCodesForm(Struct, frozen=True, kw_only=True):
    """The form on the page of sign-in methods."""

    codes: OwnRecoveryCodes
    pages: EnrolmentPages

    async def new_codes(self, post: SignedInPost) -> Response:
        """Make new recovery codes, shown this once."""
        browser = post.browser
        made = await self.codes.new_codes(post.account, post.session, caller=browser.caller, now=browser.now)
        if made is None:
            return browser.go(METHODS)
        if isinstance(made, Wait):
            return await self.pages.methods(post, FormProblem(Wrong.TOO_MANY_TRIES, at=made.until))
        return page(RecoveryCodesView(made.codes, post.account.shown_as), browser)

    async def show_again(self, post: SignedInRefusedPost) -> Response:
        """The page of sign-in methods; no codes were made."""
        return await self.pages.methods(post, post.problem)

    def routes(self) -> Sequence[Route]:
        """Routes of the form."""
        own = self.pages.own
        return [
            own.pages.lead(RECOVERY, METHODS),
            own.post(
                RECOVERY, self.new_codes, refused=self.show_again, back=METHODS, recent=True, takes="password"
            ),
        ]
