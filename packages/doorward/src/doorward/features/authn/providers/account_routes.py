"""/account/methods/providers and /account/connect: accounts of other services are connected and disconnected after a recent proof (R73)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from msgspec import Struct, structs

from doorward.core.model.provider import ExternalIdentity
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.providers.cards import ProviderCards
from doorward.features.authn.providers.outcomes import NotSignedIn
from doorward.features.authn.providers.provider import IdentityProvider
from doorward.features.authn.providers.routes import CONNECT, CONNECTED, PROBLEMS, SaidOnce
from doorward.features.authn.providers.signing_in import ProviderSignIn
from doorward.features.authn.providers.views import (
    ConnectedAccountsView,
    ConnectPendingView,
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
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.flow import Continue
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.said import Said
from doorward.web.route import Route

LEAVE: Final = f"{CONNECTED}/connect"
DISCONNECT: Final = f"{CONNECTED}/disconnect"
_SHOWN: Final = frozenset({"login", "select_account", "create"})


@final
class ConnectedAccountPages(Struct, frozen=True, kw_only=True):
    """Handlers for the person who is signed in."""

    own: SignedInPages
    flow: FlowPages
    signing_in: ProviderSignIn
    cards: ProviderCards
    said: SaidOnce

    @property
    def providers(self) -> Mapping[str, IdentityProvider]:
        """Those of the settings, by name."""
        return self.signing_in.providers

    async def show(self, visit: SignedInVisit) -> Response:
        """The connected accounts, and the services that can be connected."""
        problem = self.said.problem(visit.browser, visit.query)
        return await self._accounts(visit, problem, done=self.own.was_done(visit))

    async def show_again(self, post: SignedInRefusedPost) -> Response:
        """The same page, with the reason why the form was not used."""
        return await self._accounts(post, post.problem)

    async def leave(self, post: SignedInPost) -> Response:
        """Go to a provider, to connect an account there."""
        browser, name = post.browser, post.form.get("provider", "")
        url = await self.signing_in.leave_to_connect(
            name,
            post.session,
            browser_hash=browser.browser_hash,
            locale=browser.context.locale,
            now=browser.now,
        )
        if isinstance(url, NotSignedIn):
            return await self._accounts(post, FormProblem(PROBLEMS[url.why]))
        label = self.providers[name].policy.label
        return page(Continue(url=url, app=label, because="provider"), browser)

    async def disconnect(self, post: SignedInPost) -> Response:
        """Disconnect an account."""
        factor = post.form.get("factor", "")
        card = await self.cards.shown(post.account)
        label = next((one.label for one in card.connected if one.id == factor), None)
        outcome = await self.signing_in.identities.disconnect(
            post.account,
            post.session,
            factor,
            label=label or "",
            caller=post.browser.caller,
            now=post.browser.now,
        )
        match outcome:
            case None:
                return self.own.done(post, CONNECTED, Done.PROVIDER_DISCONNECTED)
            case "gone":
                return post.browser.go(CONNECTED)
            case "last":
                return await self._accounts(post, FormProblem(Wrong.LAST_METHOD))
            case "over":
                return await self._accounts(post, FormProblem(Wrong.CHANGED_MEANWHILE))
            case Wait(until=until):
                return await self._accounts(post, FormProblem(Wrong.TOO_MANY_TRIES, at=until))

    async def offer(self, visit: SignedInVisit) -> Response:
        """Ask whether to connect the account that waits in this browser."""
        return await self._offer(visit, None)

    async def offer_again(self, post: SignedInRefusedPost) -> Response:
        """Ask once more."""
        return await self._offer(post, post.problem)

    async def decide(self, post: SignedInPost) -> Response:
        """Connect it or not, and go on with the sign-in in which it was found."""
        browser, identities = post.browser, self.signing_in.identities
        pending = await identities.pending(browser.browser_hash, browser.now)
        provider = None if pending is None else self.providers.get(pending.provider)
        if pending is None or provider is None:
            return browser.go(CONNECTED)
        if post.form.get("decision") != "connect":
            await identities.drop(pending)
            return await self._onward(post, pending.sign_in_id)
        made = await identities.connect(
            post.account,
            provider,
            issuer=pending.issuer,
            subject=pending.subject,
            email=pending.email,
            session_id=post.session.id,
            caller=browser.caller,
            now=browser.now,
            pending=pending,
        )
        if isinstance(made, ExternalIdentity):
            return await self._onward(post, pending.sign_in_id, connected=True)
        return await self._offer(post, FormProblem(PROBLEMS[made]))

    async def _onward(self, post: SignedInPost, sign_in_id: str, *, connected: bool = False) -> Response:
        """To the app for which the person came, with the session that they have now; else to the account pages."""
        waiting = await self.flow.sign_ins.get(sign_in_id)
        mine = waiting is not None and waiting.browser_hash == post.browser.browser_hash
        if waiting is not None and mine and waiting.request is not None:
            request = waiting.request
            if post.session.auth_time >= waiting.created_at:
                # shown since then: asking once more would prove nothing
                request = structs.replace(request, prompt=request.prompt - _SHOWN)
            return await self.flow.follow(post.browser, await self.flow.begin(post.browser, request))
        if connected:
            return self.own.done(post, CONNECTED, Done.PROVIDER_CONNECTED)
        return post.browser.go("/account")

    async def _offer(self, owner: SignedIn, problem: FormProblem | None) -> Response:
        browser = owner.browser
        pending = await self.signing_in.identities.pending(browser.browser_hash, browser.now)
        provider = None if pending is None else self.providers.get(pending.provider)
        if pending is None or provider is None:
            return browser.go(CONNECTED)
        view = ConnectPendingView(
            account=owner.account.shown_as,
            label=provider.policy.label,
            email=pending.email,
            problem=problem,
        )
        return page(view, browser)

    async def _accounts(
        self, owner: SignedIn, problem: FormProblem | None, *, done: Said | None = None
    ) -> Response:
        card = await self.cards.shown(owner.account)
        view = ConnectedAccountsView(card=card, done=done, problem=problem)
        return page(view, owner.browser)

    def routes(self) -> list[Route]:
        """Routes of these pages and forms."""
        own = self.own
        return [
            own.get(CONNECTED, self.show, takes="said word"),
            own.pages.lead(LEAVE, CONNECTED),
            own.post(
                LEAVE, self.leave, refused=self.show_again, back=CONNECTED, recent=True, takes="provider"
            ),
            own.pages.lead(DISCONNECT, CONNECTED),
            own.post(
                DISCONNECT,
                self.disconnect,
                refused=self.show_again,
                back=CONNECTED,
                recent=True,
                takes="factor",
            ),
            own.get(CONNECT, self.offer, recent=True),
            own.post(
                CONNECT, self.decide, refused=self.offer_again, back=CONNECT, recent=True, takes="decision"
            ),
        ]
