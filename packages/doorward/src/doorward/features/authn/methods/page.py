"""The page of sign-in methods: a card for each factor, and the form of the password."""

from __future__ import annotations

from typing import final

from msgspec import Struct

from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.methods.service import OwnMethods
from doorward.features.sessions.signed_in_pages import SignedIn
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views.account import Methods
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.said import Said


@final
class MethodsPage(Struct, frozen=True, kw_only=True):
    """What a person sees of their sign-in methods."""

    methods: OwnMethods
    flow: FlowPages

    async def show(
        self, owner: SignedIn, *, done: Said | None = None, **problems: FormProblem | None
    ) -> Response:
        """The page, with what was done, or what was wrong: `problem`, or `current_problem` and `new_problem` at the fields of the
        password."""
        account, locale = owner.account, owner.browser.context.locale
        shown = await self.methods.shown(account, locale)
        alone = self.flow.routes.only(account.email)
        view = Methods(
            account=account.shown_as,
            minimum=shown.minimum,
            password_elsewhere=shown.password_elsewhere,
            password_changed_at=account.password_changed_at,
            password_usable=account.password_hash is not None and alone is None,
            password_by_mail=account.email is not None and alone is None,
            ways=shown.ways,
            cards=shown.cards,
            done=done,
            others=self.flow.ways_to_set_up(locale),
            **problems,
        )
        return page(view, owner.browser)

    async def wrong(self, owner: SignedIn, problem: FormProblem | None) -> Response:
        """The page with what was wrong with the form of a factor. A password that is too short to stand alone is said at the field for a
        new one, since a longer one solves it."""
        if problem is not None and problem.kind is Wrong.PASSWORD_TOO_SHORT:
            return await self.show(owner, new_problem=problem)
        return await self.show(owner, problem=problem)
