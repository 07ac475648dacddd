"""Logout pages: /logout (RP-initiated and by the person) and /signed-out."""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.session import EndReason, Session
from doorward.core.ports.keys import Sealer
from doorward.features.authn.flow.pages import again_by_get
from doorward.features.authn.providers.sign_out_there import ProviderSignOut, SignOutThere
from doorward.features.oauth.logout.rules.logout import Asking, SignOut
from doorward.features.oauth.logout.service import SignOutAction
from doorward.features.sessions.browser_context import (
    AppVisit,
    BrowserContext,
    BrowserPages,
    PagePost,
    PageVisit,
)
from doorward.web.http import BadForm, EarlyResponse, Request, Response, redirect
from doorward.web.page import page
from doorward.web.page_pipeline import Answer
from doorward.web.pages.views.ends import ErrorPage, Failure
from doorward.web.pages.views.flow import Continue, SignedOut, SignOutAsk, SignOutOn
from doorward.web.refusals import note
from doorward.web.route import Operation, Route

_CARRIED = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales")
_PURPOSE: Final = "sign-out"
_FROM_HERE: Final = "from_here"
"""Marks the form with which our own page repeats an app's POST, so that a browser without cookies does not loop."""


class LogoutPages(Struct, frozen=True, kw_only=True):
    """Handlers of GET and POST /logout, GET /signed-out."""

    sign_out: SignOutAction
    there: ProviderSignOut
    sealer: Sealer

    def routes(self, pages: BrowserPages) -> list[Route]:
        """Routes of the logout paths."""
        yes = Answer(field="confirm", value="yes", handler=self.confirmed)
        return [
            pages.app_request(
                "/logout",
                self.logout,
                unreadable=_unreadable,
                answer=yes,
                operation=Operation(takes=" ".join(_CARRIED)),
            ),
            pages.get("/signed-out", self.signed_out, takes="provider"),
        ]

    async def logout(self, asked: AppVisit) -> Response:
        """Sign out (OpenID Connect RP-Initiated Logout 1.0 §2). At once if the hint is about this browser's session, else after a
        confirmation (R75).

        An app may send its request by POST (§2); such a POST has no more effect than a GET.
        """
        browser, params = _read(asked.browser, asked.params)
        _by_cookies(browser, params)
        decision = await self._decision(browser, params)
        if decision.ask:
            return await self._question(browser, decision, params)
        return await self._leave(browser, decision)

    async def confirmed(self, post: PagePost) -> Response:
        """The answer to our own question. It ends exactly the sessions that the question was about."""
        browser, params = _read(post.browser, post.form)
        _by_cookies(browser, params)
        decision = await self._decision(browser, params)
        about = self._about(browser, decision)
        if decision.ask and not compare_digest(params.get("about", "").encode(), about.encode()):
            return await self._question(browser, decision, params)
        return await self._leave(browser, decision)

    async def signed_out(self, visit: PageVisit) -> Response:
        """The page at the end, when no app asked to have the person back. A signed-in person is redirected to the confirmation instead
        (R100)."""
        if visit.browser.session is not None:
            return visit.browser.go("/logout")
        offered = await self.there.named(visit.query.get("provider", ""), None)
        if offered is None:
            return page(SignedOut(), visit.browser)
        return page(SignedOut(provider=offered.label, url=offered.url), visit.browser)

    async def _decision(self, browser: BrowserContext, params: Mapping[str, str]) -> SignOut:
        """The decision on the request. Raises `EarlyResponse` with an error page for a request that must not be redirected."""
        decision = await self.sign_out.decide(params, _asking(browser), now=browser.now)
        if isinstance(decision, OAuthError):
            await self._note(decision, browser.request, params)
            raise EarlyResponse(
                page(ErrorPage(Failure.BAD_REDIRECT, detail=decision.description), browser, 400)
            )
        if decision.stays:
            fix = "the app sends the ID token that it got from here, and its own client_id"
            await self._note(
                OAuthError("invalid_request", "", decision.stays, fix=fix), browser.request, params
            )
        return decision

    async def _leave(self, browser: BrowserContext, decision: SignOut) -> Response:
        there: SignOutThere | None = None
        ended: list[tuple[Session, EndReason]] = []
        for session in decision.ends:
            own = browser.session is not None and session.id == browser.session.id
            if own:
                there = await self.there.of_session(session.id, _target(decision))
            ended.append((session, "signed_out" if own else "signed_out_by_app"))
        await self.sign_out.end_all(
            ended, client_id=decision.client_id, caller=browser.caller, now=browser.now
        )
        if browser.session is not None:
            # pending sign-ins of a person who signs out cannot be continued
            browser.put(browser.jar.clear("browser"))
        browser.forget_session()
        return _onward(browser, _target(decision), there)

    async def _note(self, error: OAuthError, request: Request, params: Mapping[str, str]) -> None:
        client_id = params.get("client_id")
        note(
            error,
            request,
            event="sign_out.refused",
            app=await self.sign_out.clients.name(client_id),
            client_id=client_id,
            warning=True,
        )

    async def _question(
        self, browser: BrowserContext, decision: SignOut, params: Mapping[str, str]
    ) -> Response:
        about = self._about(browser, decision)
        carried = [name for name in _CARRIED if name in params]
        if decision.target is None and "post_logout_redirect_uri" in carried:
            carried.remove("post_logout_redirect_uri")
        name = await self.sign_out.clients.name(decision.client_id)
        view = SignOutAsk(
            account=browser.account.shown_as if browser.account else "",
            app=name if browser.session is None and decision.ends else None,
            hidden=(*((name, params[name]) for name in carried), ("about", about)),
        )
        return page(view, browser)

    def _about(self, browser: BrowserContext, decision: SignOut) -> str:
        """A tag of the question, for this browser only. The answer to one question cannot end the sessions of another, such as the
        session of another person who signed in here while the page was open."""
        ends = " ".join(session.id for session in decision.ends)
        return self.sealer.tag(_PURPOSE, f"{browser.secret} {decision.client_id or '-'} {ends}")


def _read(browser: BrowserContext, params: Mapping[str, str]) -> tuple[BrowserContext, dict[str, str]]:
    """The browser context in the language that the app requests, and the parameters that have a value."""
    if (locales := params.get("ui_locales")) is not None:
        browser = browser.in_language(tuple(locales.split()))
    return browser, {name: value for name, value in params.items() if value}


def _by_cookies(browser: BrowserContext, params: Mapping[str, str]) -> None:
    """Raise `EarlyResponse` with a response that makes the browser repeat a POST that came without cookies, now with them."""
    carried = {name: params[name] for name in _CARRIED if name in params}
    request = browser.request
    if not browser.bare_post:
        return
    if _is_browser(request):
        # The mark counts only from our own page: a form of another site with this mark has come without cookies like any other.
        if _FROM_HERE not in params or request.header(b"sec-fetch-site") != "same-origin":
            raise EarlyResponse(page(SignOutOn(hidden=(*carried.items(), (_FROM_HERE, "1"))), browser))
        return
    # An old browser, or a program, which would not submit a form of our page.
    elsewhere = again_by_get(browser, "/logout", carried)
    # Too long for a GET, and without cookies the session is unknown: the response must not say that anything was done.
    raise EarlyResponse(elsewhere or page(ErrorPage(Failure.TOO_LARGE), browser, 413))


def _unreadable(browser: BrowserContext, problem: BadForm) -> Response:
    return page(ErrorPage(Failure.BAD_REQUEST, detail=str(problem)), browser, 400)


def _target(decision: SignOut) -> str | None:
    """The app's address with its state (RP-Initiated Logout 1.0 §3)."""
    if decision.target is None:
        return None
    parts = urlsplit(decision.target)
    own = urlencode({"state": decision.state}) if decision.state is not None else ""
    query = "&".join(part for part in (parts.query, own) if part)
    return urlunsplit(parts._replace(query=query))


def _onward(browser: BrowserContext, target: str | None, there: SignOutThere | None) -> Response:
    """To the provider's log-out if its settings want it in any case, to the app, or to the page here, which offers it."""
    if there is not None and there.always:
        url = there.url
    elif target is not None:
        url = target
    else:
        return browser.go("/signed-out" if there is None else f"/signed-out?provider={there.name}")
    if browser.request.method == "POST":
        return page(Continue(url=url, because="signed_out"), browser)
    return redirect(url)


def _is_browser(request: Request) -> bool:
    return any(name.startswith(b"sec-fetch-") for name, _ in request.raw_headers)


def _asking(browser: BrowserContext) -> Asking:
    request = browser.request
    return Asking(
        session=browser.session,
        browser=_is_browser(request),
        blind=request.header(b"sec-fetch-dest") not in {None, "document"},
        safe=request.method == "HEAD",
    )
