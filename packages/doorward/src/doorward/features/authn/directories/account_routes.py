"""/account/methods/directory: an account is connected with a directory after a recent proof (R73), and its card."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.core.abstract_struct import AbstractStruct
from doorward.core.errors import OAuthError
from doorward.core.model.secret import Secret
from doorward.features.authn.directories.connecting import ConnectDirectory, Refused
from doorward.features.authn.directories.problems import PROBLEMS
from doorward.features.authn.directories.views import ConnectDirectoryView, DirectoryCard
from doorward.features.authn.flow.shown import CardOwner, MethodCards
from doorward.features.sessions.signed_in_pages import (
    SignedIn,
    SignedInPages,
    SignedInPost,
    SignedInRefusedPost,
    SignedInVisit,
)
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.fragment import Fragment
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.route import Route

PATH: Final = "/account/methods/directory"
_METHODS: Final = "/account/methods"
_SAID: Final[dict[Refused, Wrong]] = {
    "wrong": Wrong.CREDENTIALS,
    "taken": Wrong.PROVIDER_TAKEN,
    "over": Wrong.CHANGED_MEANWHILE,
}


@final
class DirectoryCards(AbstractStruct, MethodCards, frozen=True, kw_only=True):
    """The card among the sign-in methods."""

    connecting: ConnectDirectory

    async def card(self, owner: CardOwner) -> Fragment | None:
        """Which directory keeps the password, or the way to connect one."""
        return DirectoryCard(connected=await self.connecting.connected(owner.account))


@final
class DirectoryPages(Struct, frozen=True, kw_only=True):
    """Handlers for GET and POST."""

    own: SignedInPages
    connecting: ConnectDirectory

    async def show(self, visit: SignedInVisit) -> Response:
        """The form."""
        return _page(visit, "", None)

    async def show_again(self, post: SignedInRefusedPost) -> Response:
        """The form, with the name that was typed."""
        return _page(post, post.form.get("identifier", ""), post.problem)

    async def connect(self, post: SignedInPost) -> Response:
        """Connect the account."""
        name, password = post.form.get("identifier", ""), post.form.get("password", "")
        refused = await self.connecting.connect(
            post.account,
            post.session,
            name=name,
            password=Secret(password),
            caller=post.browser.caller,
            now=post.browser.now,
        )
        if refused is None:
            return self.own.done(post, _METHODS, Done.PROVIDER_CONNECTED)
        return _page(post, name, _problem(refused))

    def routes(self) -> list[Route]:
        """Routes of the form."""
        return [
            self.own.get(PATH, self.show, recent=True),
            self.own.post(
                PATH,
                self.connect,
                refused=self.show_again,
                back=PATH,
                recent=True,
                takes="identifier password",
            ),
        ]


def _problem(refused: Refused | OAuthError) -> FormProblem:
    if not isinstance(refused, OAuthError):
        return FormProblem(_SAID[refused])
    if refused.code == "too_many_attempts":
        return FormProblem(Wrong.TOO_MANY_TRIES, at=refused.retry_at)
    return FormProblem(PROBLEMS.get(refused.description, Wrong.CREDENTIALS))


def _page(owner: SignedIn, name: str, problem: FormProblem | None) -> Response:
    return page(ConnectDirectoryView(identifier=name[:254], problem=problem), owner.browser)
