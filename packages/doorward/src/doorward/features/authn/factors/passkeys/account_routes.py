"""/account/methods/passkeys: passkeys of a signed-in person are added, renamed and removed after a recent proof (R73)."""

from __future__ import annotations

from typing import Final, final

import msgspec
from msgspec import Struct

from doorward.features.authn.factors.passkeys.owning import NotAdded, OwnPasskeys
from doorward.features.authn.factors.passkeys.removing import RemovePasskey
from doorward.features.authn.factors.passkeys.rules.proof import MAX_NAME
from doorward.features.authn.factors.passkeys.rules.provider import provider
from doorward.features.authn.factors.passkeys.views import (
    PasskeyDone,
    PasskeyNameView,
    PasskeyNewView,
    PasskeyWrong,
)
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.signed_in_pages import (
    SignedIn,
    SignedInPages,
    SignedInPost,
    SignedInRefusedPost,
    SignedInVisit,
)
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.route import Route

METHODS: Final = "/account/methods"
PASSKEYS: Final = "/account/methods/passkeys"
RENAME: Final = "/account/methods/passkeys/rename"
REMOVE: Final = "/account/methods/passkeys/remove"
SECOND: Final = "/account/methods/passkeys/second"
SILENT: Final = "/account/passkeys/silent"
_PROBLEMS: Final = {
    "refused": PasskeyWrong.REFUSED,
    "known": PasskeyWrong.KNOWN,
    "too_many": PasskeyWrong.FULL,
    "authenticator": PasskeyWrong.OF_UNKNOWN_MAKER,
    "not_yet": Wrong.NOT_YET,
}
_NOT_REMOVED: Final = {
    "last": Wrong.LAST_METHOD,
    "last_step": Wrong.LAST_STEP,
    "over": Wrong.CHANGED_MEANWHILE,
}


@final
class OwnPasskeyPages(Struct, frozen=True, kw_only=True):
    """Handlers for the passkeys of the person who is signed in."""

    own: SignedInPages
    passkeys: OwnPasskeys
    removal: RemovePasskey

    async def add_silently(self, post: SignedInPost) -> Response:
        """Add the passkey that a password manager made by itself. The page stays as it is, whatever comes of it."""
        browser = post.browser
        if await self.own.recent(browser):
            await self.passkeys.add(
                post.account,
                post.form.get("credential", ""),
                session_id=post.session.id,
                browser_hash=browser.browser_hash,
                caller=browser.caller,
                now=browser.now,
                silently=True,
            )
        return Response(204)

    async def stay(self, post: SignedInRefusedPost) -> Response:
        """Nothing: the form was made by a page that is out of date, and nobody waits for an answer."""
        del post
        return Response(204)

    async def name(self, visit: SignedInVisit) -> Response:
        """The page with the name of a passkey."""
        return await self._name(visit, visit.query.get("factor", ""), None)

    async def name_again(self, post: SignedInRefusedPost) -> Response:
        """The form, with the name that was typed."""
        return await self._name(post, post.form.get("factor", ""), post.problem, post.form.get("name"))

    async def rename(self, post: SignedInPost) -> Response:
        """Give a passkey another name."""
        factor, typed = post.form.get("factor", ""), post.form.get("name", "")
        outcome = await self.passkeys.rename(
            post.account, factor, typed, caller=post.browser.caller, now=post.browser.now
        )
        if outcome is True:
            return self.own.done(post, METHODS, PasskeyDone.RENAMED)
        if isinstance(outcome, Wait):
            return await self._name(post, factor, problem(outcome), typed)
        return await self._name(post, factor, None, typed, FormProblem(Wrong.NAME_TOO_LONG, MAX_NAME))

    async def ask_for(self, post: SignedInPost) -> Response:
        """Ask for a passkey after the password, too, or no longer."""
        second = second_of(post.form.get("second"))
        if second is None:
            return post.browser.go(METHODS)
        outcome = await self.passkeys.ask_for(
            post.account,
            post.form.get("factor", ""),
            session_id=post.session.id,
            second=second,
            caller=post.browser.caller,
            now=post.browser.now,
        )
        if isinstance(outcome, Wait):
            return await self._new(post, problem(outcome))
        if not outcome:
            return post.browser.go(METHODS)
        return self.own.done(post, METHODS, PasskeyDone.ASKED_FOR if second else PasskeyDone.NOT_ASKED_FOR)

    async def remove(self, post: SignedInPost) -> Response:
        """Remove a passkey."""
        outcome = await self.removal.remove(
            post.account,
            post.session,
            post.form.get("factor", ""),
            caller=post.browser.caller,
            now=post.browser.now,
        )
        if outcome is None:
            return self.own.done(post, METHODS, PasskeyDone.REMOVED)
        if outcome == "gone":
            return post.browser.go(METHODS)
        if isinstance(outcome, Wait):
            return await self._new(post, problem(outcome))
        return await self._new(post, FormProblem(_NOT_REMOVED[outcome]))

    async def _new(self, owner: SignedIn, wrong: FormProblem | None) -> Response:
        browser = owner.browser
        options = await self.passkeys.options(
            owner.account, binding=owner.session.id, browser_hash=browser.browser_hash, now=browser.now
        )
        view = PasskeyNewView(
            options=msgspec.json.encode(options).decode(),
            action=PASSKEYS,
            back=METHODS,
            account=owner.account.shown_as,
            problem=wrong,
        )
        return page(view, browser)

    async def _name(
        self,
        owner: SignedIn,
        factor: str,
        wrong: FormProblem | None,
        typed: str | None = None,
        name_wrong: FormProblem | None = None,
    ) -> Response:
        passkey = await self.passkeys.of_owner(owner.account, factor)
        if passkey is None:
            return owner.browser.go(METHODS)
        view = PasskeyNameView(
            factor=factor,
            name=passkey.name if typed is None else typed[:200],
            provider=provider(passkey.aaguid) or "",
            action=RENAME,
            back=METHODS,
            name_problem=name_wrong,
            problem=wrong,
        )
        return page(view, owner.browser)

    def routes(self) -> list[Route]:
        """Routes of these pages and forms."""
        own = self.own
        return [
            own.get(RENAME, self.name, recent=True, takes="factor"),
            own.post(
                RENAME, self.rename, refused=self.name_again, back=METHODS, recent=True, takes="factor name"
            ),
            own.pages.lead(REMOVE, METHODS),
            own.post(REMOVE, self.remove, refused=self.own.stale, back=METHODS, recent=True, takes="factor"),
            own.pages.lead(SECOND, METHODS),
            own.post(
                SECOND,
                self.ask_for,
                refused=self.own.stale,
                back=METHODS,
                recent=True,
                takes="factor second",
            ),
            own.post(SILENT, self.add_silently, refused=self.stay, back=METHODS, takes="credential"),
        ]


def problem(outcome: NotAdded | Wait) -> FormProblem:
    """What the page says about a passkey that was not added."""
    if isinstance(outcome, Wait):
        return FormProblem(Wrong.TOO_MANY_TRIES, at=outcome.until)
    return FormProblem(_PROBLEMS[outcome.why])


def second_of(given: str | None) -> bool | None:
    """Whether the owner wants to be asked for it after the password, too; None if they were not asked."""
    return None if given is None else given == "yes"
