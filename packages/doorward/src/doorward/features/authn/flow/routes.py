"""From one step of a sign-in to the next page, or out to the app. Every sign-in handler ends in `follow`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from msgspec import structs

from doorward.core.model.digest import digest
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.request import AuthRequest
from doorward.core.model.signin import SignIn
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.core.ports.random import Chance
from doorward.core.ports.store import Store
from doorward.features.authn.flow.advance import Advance
from doorward.features.authn.flow.outcomes import Ask, AskConsent, Denied, Finished, Next, Stale
from doorward.features.authn.flow.rules import begin
from doorward.features.oauth.authorize.rules.response import AuthResponse
from doorward.features.oauth.authorize.rules.weight import given_back
from doorward.features.oauth.consent.view import consent_view
from doorward.features.oauth.tokens.rules.refresh_life import refresh_life
from doorward.features.rate_limits.rules.sign_in_starts import Begun
from doorward.features.sessions.asked import state_of, unpack
from doorward.features.sessions.browser_context import Visitor
from doorward.web.http import ComeBackLater, Response, redirect
from doorward.web.page import page
from doorward.web.pages.views.ends import ErrorPage, Failure, Way
from doorward.web.pages.views.flow import Continue, FormPost
from doorward.web.refusals import note

LONGEST_QUERY: Final = 6000


@dataclass(frozen=True, slots=True)
class Steps:
    """Begins, finds again and carries on the sign-ins of browsers."""

    store: Store
    chance: Chance
    catalog: CatalogSource
    advance: Advance
    sessions: SessionPolicy
    issuer: str
    begun: Begun = field(default_factory=Begun)

    def link(self, path: str, sign_in: SignIn | None = None) -> str:
        """A path of ours as a browser has to ask for it, with the sign-in's id where there is one."""
        prefix = urlsplit(self.issuer).path.rstrip("/")
        if sign_in is None:
            return prefix + path
        return f"{prefix}{path}{'&' if '?' in path else '?'}flow={quote(sign_in.id)}"

    async def begin(
        self, visitor: Visitor, request: AuthRequest | None, return_to: str | None = None
    ) -> SignIn:
        """A new sign-in of this browser, stored; what the browser's session proves counts where it may. Raises `ComeBackLater`
        for a stranger's address that has begun too many, or a person who has: each that ends at once in an app leaves a grant and
        lines in the record."""
        who = visitor.address if visitor.session is None else visitor.session.account_id
        if (until := self.begun.full(who, visitor.now)) is not None:
            raise ComeBackLater(until - visitor.now)
        self.begun.note(who, visitor.now)
        sign_in = begin.sign_in(
            sign_in_id=self.chance.new_id("sin"),
            now=visitor.now,
            ttl=self.sessions.sign_in_ttl,
            browser_hash=digest(visitor.browser),
            request=request,
            return_to=return_to,
            session=visitor.session,
        )
        await self.store.commit(self.store.sign_ins.insert(sign_in))
        return sign_in

    async def load(self, visitor: Visitor, flow: str | None) -> SignIn | Response:
        """The sign-in that a page or form belongs to; with none named, one to the account pages.

        What expired, or was finished in another tab, begins again silently with the same destination. An id that this
        browser never had (a link from somebody else) leads to a plain sign-in: it never joins another's (line 70).
        """
        if not flow:
            return await self.begin(visitor, None, "/account")
        sign_in = await self.store.sign_ins.get(flow)
        if sign_in is None and (known := unpack(visitor.asked or "")) is not None and known[0] == flow:
            # the row went when it expired, or with what was proven in it: the app's own request brings another one
            return visitor.dress(redirect(f"{self.link('/authorize')}?{known[1]}"))
        if sign_in is None or sign_in.browser_hash != visitor.browser_hash:
            return visitor.dress(redirect(self.link("/sign-in")))
        if sign_in.done_at is not None or visitor.now >= sign_in.expires_at:
            return await self.restart(visitor, sign_in)
        return sign_in

    async def kept(self, visitor: Visitor, flow: str | None) -> SignIn | None:
        """For a form whose token is not this browser's: the sign-in with which its page can go on.

        After a sign-out in another tab, or with lost cookies, the browser of the sign-in is gone for ever. A page of ours that stands in
        this browser may go on to the same app, as with the app's own address: what was proven there does not count, and whom it was for
        is not told. What another site sent gets nothing of it.
        """
        found = await self.store.sign_ins.get(flow) if flow else None
        if found is None or found.browser_hash is None:
            return None
        mine = found.browser_hash == visitor.browser_hash
        if mine and found.done_at is None and visitor.now < found.expires_at:
            return found
        if not visitor.on_our_page:
            return None
        request = found.request
        if request is not None and not mine:
            request = structs.replace(request, login_hint=None)
        return await self.begin(visitor, request, found.return_to)

    def went_stale(self, visitor: Visitor, path: str, sign_in: SignIn | None) -> Response:
        """On from a page that cannot go on as it is; the page that comes says once that it was out of date."""
        word = visitor.stale_word(sign_in.id if sign_in else "")
        return visitor.dress(redirect(self.link(f"{path}?stale={word}", sign_in)))

    async def follow_stale(self, visitor: Visitor, sign_in: SignIn) -> Response:
        """To wherever the sign-in stands now, for somebody whose page was out of date."""
        return await self.follow(dataclasses.replace(visitor, stale=True), sign_in)

    async def restart(self, visitor: Visitor, stale: SignIn) -> Response:
        """Begin again where the stale sign-in wanted to go. What a prompt asked for was asked; the session decides now. What a form had
        sent is lost then, and the next page says so."""
        if visitor.request.method == "POST":
            visitor = dataclasses.replace(visitor, stale=True)
        request = stale.request
        if request is not None and stale.done_at is not None:
            request = structs.replace(request, prompt=request.prompt - {"login", "select_account", "create"})
        return await self.follow(visitor, await self.begin(visitor, request, stale.return_to))

    async def anew(self, visitor: Visitor, sign_in: SignIn) -> SignIn | Response:
        """The same sign-in with nothing proven yet («Not you?», another account, start over)."""
        clean = structs.replace(sign_in, account_id=None, proofs=(), session_id=None, consented=False)
        if clean == sign_in or await self.store.commit(self.store.sign_ins.replace(sign_in, clean)):
            return clean
        return await self.load(visitor, sign_in.id)

    async def load_and_follow(self, visitor: Visitor, flow: str) -> Response:
        """After a lost race: what is stored now decides."""
        sign_in = await self.load(visitor, flow)
        return sign_in if isinstance(sign_in, Response) else await self.follow(visitor, sign_in)

    async def follow(self, visitor: Visitor, sign_in: SignIn) -> Response:
        """Ask the dispatcher what comes next, and answer with it."""
        outcome = await self.advance(
            sign_in,
            session=visitor.session,
            devices=visitor.devices,
            caller=visitor.caller,
            now=visitor.now,
        )
        return await self.answer(visitor, outcome)

    async def answer(self, visitor: Visitor, outcome: Next) -> Response:
        """The page or redirect that an outcome means."""
        match outcome:
            case Ask(sign_in=sign_in, step="password"):
                create = sign_in.request is not None and "create" in sign_in.request.prompt
                path = "/sign-up" if create else "/sign-in"
                if visitor.stale:
                    return self.went_stale(visitor, path, sign_in)
                return visitor.dress(redirect(self.link(path, sign_in)))
            case Ask(sign_in=sign_in):
                return visitor.dress(redirect(self.link("/sign-in/code", sign_in)))
            case AskConsent(sign_in=sign_in):
                if visitor.request.path == "/consent" and visitor.request.method != "POST":
                    return self.consent_page(visitor, outcome)
                return visitor.dress(redirect(self.link("/consent", sign_in)))
            case Finished():
                self._remember(visitor, outcome)
                if outcome.response is None:
                    return visitor.dress(redirect(self.link(outcome.sign_in.return_to or "/account")))
                return self.deliver(visitor, outcome.response)
            case Denied():
                self._note(visitor, outcome)
                return self._denied(visitor, outcome)
            case Stale(sign_in=sign_in):
                newest = await self.store.sign_ins.get(sign_in.id)
                # What lost the race may have been the session: with the one that was read then, it would lose again and again.
                visitor = await self._as_now(visitor)
                if newest is None or newest.done_at is not None:
                    return await self.restart(visitor, newest or sign_in)
                return await self.follow(visitor, newest)

    def _denied(self, visitor: Visitor, outcome: Denied) -> Response:
        if outcome.response is not None:
            return self.deliver(visitor, outcome.response, denied=True)
        detail = outcome.refusal.say
        view = ErrorPage(Failure.UNKNOWN_APP, detail=detail, ways=(Way.HOME, Way.ACCOUNT))
        return page(view, visitor, 400)

    def _note(self, visitor: Visitor, outcome: Denied) -> None:
        request = outcome.sign_in.request
        client_id = request.client_id if request is not None else None
        client = self.catalog.current().clients.get(client_id or "")
        note(
            outcome.refusal,
            visitor.request,
            event="authorization request refused",
            app=client.name if client is not None else None,
            client_id=client_id,
        )

    async def _as_now(self, visitor: Visitor) -> Visitor:
        """The same visitor with their session as it is stored now: signed out in another tab, or stepped up there."""
        if visitor.session is None:
            return visitor
        session = await self.store.sessions.get(visitor.session.id)
        if session is None or session.ended_at is not None:
            return dataclasses.replace(visitor, session=None, account=None)
        return dataclasses.replace(visitor, session=session)

    def deliver(self, visitor: Visitor, response: AuthResponse, *, denied: bool = False) -> Response:
        """The authorization response in its mode.

        It is a 200 page that refreshes, since browsers apply form-action to the redirects after a POST, and a 303 to the app
        would die of our own policy. A GET of one of our pages may be such a redirect too, of a form that led there; only what
        comes to /authorize by GET comes from the app, and is sent back by a redirect.
        """
        response = structs.replace(
            response, fields=given_back(response.fields, state_of(visitor.asked or ""))
        )
        visitor.forget_asked()
        if response.mode == "form_post":
            view = FormPost(url=response.target, fields=tuple(response.fields.items()), app=response.app_name)
            return page(view, visitor)
        if visitor.request.method == "POST" or visitor.request.path != "/authorize":
            because = "denied" if denied else "signed_in"
            return page(Continue(url=response.url, app=response.app_name, because=because), visitor)
        return visitor.dress(redirect(response.url))

    def again_by_get(self, visitor: Visitor, path: str, params: Mapping[str, str]) -> Response | None:
        """For a request of an app that came as a POST without our cookies: the way to the same request by GET.

        A browser keeps SameSite=Lax cookies back from another site's POST, but sends them with the GET that a 303 leads to: so
        the person's session is seen. None when it is no such request, or too long for an address.
        """
        query = urlencode(params)
        if not visitor.bare_post or len(query) > LONGEST_QUERY:
            return None
        return visitor.dress(redirect(f"{self.link(path)}?{query}"))

    def consent_page(self, visitor: Visitor, asked: AskConsent) -> Response:
        """The question whether the app may."""
        lasts = refresh_life(asked.client, self.advance.tokens)
        return page(consent_view(asked, self.catalog.current(), lasts), named(visitor, asked.client.name))

    def _remember(self, visitor: Visitor, done: Finished) -> None:
        if done.session_secret is not None:
            visitor.remember_session(done.session_secret, done.session.expires_at - visitor.now)
        if done.device_secret is not None:
            visitor.remember_device(done.device_secret)


def named(visitor: Visitor, app_name: str | None) -> Visitor:
    """The same visitor, whose pages say for which app they are."""
    return dataclasses.replace(visitor, context=dataclasses.replace(visitor.context, app_name=app_name))
