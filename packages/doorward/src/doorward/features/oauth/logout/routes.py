"""Signing out: /logout (RP-initiated and by the person) and /signed-out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from doorward.core.errors import Refusal
from doorward.core.ports.keys import Sealer
from doorward.features.authn.flow.routes import Steps
from doorward.features.oauth.logout.rules.logout import Asking, SignOut
from doorward.features.oauth.logout.service import SignOutAction
from doorward.features.sessions.browser_context import Forbidden, Visitor, Visitors
from doorward.web.http import BadForm, Request, Response, Route, redirect, route
from doorward.web.page import page
from doorward.web.pages.views.ends import ErrorPage, Failure
from doorward.web.pages.views.flow import Continue, SignedOut, SignOutAsk, SignOutOn
from doorward.web.refusals import note

_CARRIED = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales")
_PURPOSE: Final = "sign-out"
_FROM_HERE: Final = "from_here"
"""Marks the form by which our own page repeats an app's POST, so that a browser without cookies is not sent round for ever."""


@dataclass(frozen=True, slots=True)
class LogoutPages:
    """GET and POST /logout, GET /signed-out."""

    visitors: Visitors
    steps: Steps
    sign_out: SignOutAction
    sealer: Sealer

    async def logout(self, request: Request) -> Response:
        """Sign out at once when the hint is about this browser's session, else ask first (RP-Initiated Logout 1.0 §2, line 75).

        An app may send its request by POST (§2): without our form token such a POST decides nothing more than a GET does.
        """
        posted = request.method == "POST"
        visitor = await self.visitors.meet(request)
        try:
            params: Mapping[str, str] = await request.form() if posted else request.query()
        except BadForm as problem:
            return page(ErrorPage(Failure.BAD_REQUEST, detail=str(problem)), visitor, 400)
        if (locales := params.get("ui_locales")) is not None:
            visitor = await self.visitors.meet(request, ui_locales=tuple(locales.split()))
        params = {name: value for name, value in params.items() if value}
        carried = {name: params[name] for name in _CARRIED if name in params}
        asking = _asking(visitor)
        if visitor.bare_post and asking.browser:
            # Only our own page's word counts: another site's form that says so has left the cookies behind like any other.
            if _FROM_HERE not in params or request.header(b"sec-fetch-site") != "same-origin":
                return page(SignOutOn(hidden=(*carried.items(), (_FROM_HERE, "1"))), visitor)
        elif (elsewhere := self.steps.again_by_get(visitor, "/logout", carried)) is not None:
            # An old browser, or a program, for which no page of ours would send a form.
            return elsewhere
        elif visitor.bare_post:
            # Too long to go on by GET, and without cookies nobody can know who is signed in: nothing is said to have been done.
            return page(ErrorPage(Failure.TOO_LARGE), visitor, 413)
        decision = await self.sign_out.decide(params, asking, now=visitor.now)
        if isinstance(decision, Refusal):
            self._note(decision, request, params)
            return page(ErrorPage(Failure.BAD_REDIRECT, detail=decision.say), visitor, 400)
        if decision.stays:
            fix = "Fix: the app sends the ID token that it got from here, and its own client_id"
            self._note(Refusal("invalid_request", "", f"{decision.stays}. {fix}"), request, params)
        about = self._about(visitor, decision)
        confirmed = posted and params.get("confirm") == "yes" and self._ours(visitor, params, about)
        if decision.ask and not confirmed:
            return self._question(visitor, decision, params, about)
        for session in decision.ends:
            own = visitor.session is not None and session.id == visitor.session.id
            await self.sign_out.end(
                session,
                reason="signed_out" if own else "signed_out_by_app",
                client_id=decision.client_id,
                caller=visitor.caller,
                now=visitor.now,
            )
        if visitor.session is not None:
            visitor.forget_browser()
        visitor.forget_session()
        return self._onward(visitor, decision)

    def _note(self, refusal: Refusal, request: Request, params: Mapping[str, str]) -> None:
        client_id = params.get("client_id")
        client = self.sign_out.catalog.current().clients.get(client_id or "")
        note(
            refusal,
            request,
            event="sign-out request refused",
            app=client.name if client is not None else None,
            client_id=client_id,
            warning=True,
        )

    async def signed_out(self, request: Request) -> Response:
        """The page at the end, when no app asked to have the person back. Who is signed in is not told otherwise (line 100)."""
        visitor = await self.visitors.meet(request)
        if visitor.session is not None:
            return visitor.dress(redirect(self.steps.link("/logout")))
        return page(SignedOut(), visitor)

    def _question(
        self, visitor: Visitor, decision: SignOut, params: Mapping[str, str], about: str
    ) -> Response:
        carried = [name for name in _CARRIED if name in params]
        if decision.target is None and "post_logout_redirect_uri" in carried:
            carried.remove("post_logout_redirect_uri")
        client = self.sign_out.catalog.current().clients.get(decision.client_id or "")
        view = SignOutAsk(
            account=visitor.account.email if visitor.account else "",
            app=client.name if client is not None and visitor.session is None and decision.ends else None,
            hidden=(*((name, params[name]) for name in carried), ("about", about)),
        )
        return page(view, visitor)

    def _about(self, visitor: Visitor, decision: SignOut) -> str:
        """What the question is about, for this browser alone: the answer to one question never ends what another was about, say
        somebody else's session, who signed in here while the page stood open."""
        ends = " ".join(session.id for session in decision.ends)
        return self.sealer.tag(_PURPOSE, f"{visitor.browser} {decision.client_id or '-'} {ends}")

    def _ours(self, visitor: Visitor, form: Mapping[str, str], about: str) -> bool:
        try:
            visitor.guard(dict(form), sealer=self.sealer)
        except Forbidden:
            return False
        return compare_digest(form.get("about", "").encode(), about.encode())

    def _onward(self, visitor: Visitor, decision: SignOut) -> Response:
        if decision.target is None:
            return visitor.dress(redirect(self.steps.link("/signed-out")))
        parts = urlsplit(decision.target)
        own = urlencode({"state": decision.state}) if decision.state is not None else ""
        query = "&".join(part for part in (parts.query, own) if part)
        url = urlunsplit(parts._replace(query=query))
        if visitor.request.method == "POST":
            return page(Continue(url=url, because="signed_out"), visitor)
        return visitor.dress(redirect(url))


def _asking(visitor: Visitor) -> Asking:
    request = visitor.request
    return Asking(
        session=visitor.session,
        browser=any(name.startswith(b"sec-fetch-") for name, _ in request.raw_headers),
        blind=request.header(b"sec-fetch-dest") not in {None, "document"},
        safe=request.method == "HEAD",
    )


def routes(*, visitors: Visitors, steps: Steps, sign_out: SignOutAction, sealer: Sealer) -> list[Route]:
    """The paths of leaving."""
    pages = LogoutPages(visitors, steps, sign_out, sealer)
    return [
        route("/logout", "GET POST", pages.logout, page=True),
        route("/signed-out", "GET", pages.signed_out, page=True),
    ]
