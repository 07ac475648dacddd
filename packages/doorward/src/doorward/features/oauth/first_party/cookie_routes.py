"""/cookie/…: tokens in HTTP-only cookies for browser apps on this host, with CSRF protection, silent renewal and sign-out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from hmac import compare_digest
from typing import Final, NotRequired, TypedDict

from msgspec import Struct
from msgspec.structs import replace

from doorward.core.errors import OAuthError
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.keys import Sealer
from doorward.core.ports.random import SecureRandom
from doorward.features.oauth.first_party.cookie_session import AllowedApp, CallingPage, CookieSession
from doorward.features.oauth.first_party.rules import csrf_token, registered
from doorward.features.oauth.token.rules import TokenResponse
from doorward.web.browser import BROWSER_AGE
from doorward.web.cookies import CookieJar
from doorward.web.http import EarlyResponse, Request, Response, json_response
from doorward.web.oauth_endpoint import caller
from doorward.web.refusals import note
from doorward.web.route import Operation, Route, app_script, machine

_PURPOSE: Final = "refresh cookie"
REGISTERED_ORIGIN: Final = "registered origin"
"""The page's origin is this server's, or registered for the app that the request names. Sign-out also requires X-CSRF-Token, which is
bound to the access token in the cookie, so `CookieSession.end` checks it where it reads that token."""


class FromAppPage(Struct, frozen=True):
    """A request from a page that may use cookie delivery for its app."""

    request: Request
    params: dict[str, str]
    app: AllowedApp


class CookiesSet(Struct, forbid_unknown_fields=True):
    """The tokens are in the cookies `__Host-dw_<mark>_at` and `__Secure-dw_<mark>_rt`; `csrf_token` is for X-CSRF-Token."""

    expires_in: int
    scope: str
    csrf_token: str


class CookieStanding(TypedDict):
    """The claims of the access token in the cookie, and what goes into X-CSRF-Token."""

    csrf_token: str
    expires_in: int
    sub: NotRequired[str]


Handler = Callable[[FromAppPage], Awaitable[Response | OAuthError]]


class CookieEndpoints(Struct, frozen=True, kw_only=True):
    """Reads cookies and Origin, sets cookies; tokens are never in a body."""

    cookies: CookieSession
    config: ConfigSource
    jar: CookieJar
    sealer: Sealer
    random: SecureRandom

    def routes(self) -> list[Route]:
        """Routes of the four paths and their preflight."""
        answers = {200: CookiesSet}
        refresh = Operation(takes="client_id", required="client_id", answers=answers, errors=(401, 403, 503))
        token = replace(refresh, takes="client_id code code_verifier redirect_uri", required="client_id code")
        session = replace(refresh, answers={200: CookieStanding})
        sign_out = replace(refresh, answers={204: None}, headers="X-CSRF-Token")
        found = [
            self._route("/cookie/token", "POST", self.token, token),
            self._route("/cookie/refresh", "POST", self.refresh, refresh),
            self._route("/cookie/session", "GET", self.session, session),
            self._route("/cookie/sign-out", "POST", self.sign_out, sign_out),
        ]
        return [*found, *(machine(item.path, "OPTIONS", self.preflight) for item in found)]

    async def check(self, request: Request) -> FromAppPage:
        """Raise `EarlyResponse` for a page that is not allowed. The form, or the query of a GET, names the app."""
        reading = request.method != "POST"
        params = request.query() if reading else await request.form()
        client_id = params.get("client_id")
        page = CallingPage(request.header(b"origin"), request.header(b"sec-fetch-site"))
        app = self.cookies.allowed(client_id, page, reading=reading)
        if isinstance(app, OAuthError):
            raise EarlyResponse(self._shared(request, client_id, app))
        return FromAppPage(request, params, app)

    def _route(self, path: str, method: str, handler: Handler, operation: Operation) -> Route:
        """A route whose response, also a refusal, is readable by the app's pages."""

        @wraps(handler)
        async def answer(asked: FromAppPage) -> Response:
            return self._shared(asked.request, asked.app.client_id, await handler(asked))

        return app_script(
            path, method, answer, check=self.check, checks=(REGISTERED_ORIGIN,), operation=operation
        )

    async def token(self, asked: FromAppPage) -> Response:
        """Redeem a code into HTTP-only cookies."""
        outcome = await self.cookies.begin(asked.app, asked.params, caller=caller(asked.request))
        return await self._delivered(asked, outcome)

    async def refresh(self, asked: FromAppPage) -> Response:
        """Renew the cookies. The refresh token comes with one of them."""
        token = self._refresh_token(asked.request)
        outcome = await self.cookies.renew(asked.app, token, caller=caller(asked.request))
        return await self._delivered(asked, outcome)

    async def session(self, asked: FromAppPage) -> Response | OAuthError:
        """Who is signed in by cookie: what the cookie says, and the CSRF token for unsafe requests."""
        outcome = await self.cookies.standing(asked.app, self.jar.read(asked.request.cookies(), "at"))
        return outcome if isinstance(outcome, OAuthError) else json_response(outcome)

    async def sign_out(self, asked: FromAppPage) -> Response | OAuthError:
        """End the session and clear the cookies. Answers 204 also when no session of this app was left."""
        request = asked.request
        cookies = request.cookies()
        outcome = await self.cookies.end(
            asked.app,
            self.jar.read(cookies, "at"),
            self._refresh_token(request),
            request.header(b"x-csrf-token"),
            session_secret=self.jar.read(cookies, "session"),
            caller=caller(request),
        )
        if isinstance(outcome, OAuthError):
            return outcome
        response = Response(204).add("cache-control", "no-store")
        for kind in ("at", "rt", "session") if outcome else ():
            response.add("set-cookie", self.jar.clear(kind))
            if self.jar.aged(cookies, kind):
                response.add("set-cookie", self.jar.clear_old(kind))
        if outcome and not self.jar.aged(cookies, "rt"):
            await self._replace_old(asked, response)
        return response

    async def preflight(self, request: Request) -> Response:
        """The browser's preflight: whether a page of a registered origin may send X-CSRF-Token."""
        response = Response(204).add("vary", "Origin")
        origin = request.header(b"origin")
        if origin is not None and any(
            client.first_party and registered(client, origin)
            for client in self.config.current().clients.values()
        ):
            response.add("access-control-allow-origin", origin)
            response.add("access-control-allow-credentials", "true")
            response.add("access-control-allow-methods", "GET, POST")
            response.add("access-control-allow-headers", "content-type, x-csrf-token")
            response.add("access-control-max-age", "600")
        return response

    def _refresh_token(self, request: Request) -> str | None:
        """The refresh token of the cookie that was set together with this browser's own cookie. A sibling domain can set a cookie of
        the same name with a token of another account (login CSRF), but cannot make its tag. Under the old name, which no other
        domain can set, the value has no tag."""
        browser = self._browser(request)
        for value in request.cookies_named(self.jar.name("rt")):
            token, _, tag = value.rpartition(".")
            if browser is not None and compare_digest(tag.encode(), self._tag(browser, token).encode()):
                return token
        return request.cookies().get(self.jar.old_name("rt"))

    def _browser(self, request: Request) -> str | None:
        return self.jar.read(request.cookies(), "browser") or None

    def _tag(self, browser: str, token: str) -> str:
        return self.sealer.tag(_PURPOSE, f"{browser} {token}")

    def _bound(self, request: Request, token: str, response: Response) -> str:
        """The value of the refresh cookie. Sets the browser cookie to which it is bound, if there is none yet."""
        browser = self._browser(request)
        if browser is None:
            browser = self.random.token()
            response.add("set-cookie", self.jar.set("browser", browser, BROWSER_AGE))
        return f"{token}.{self._tag(browser, token)}"

    async def _replace_old(self, asked: FromAppPage, response: Response) -> None:
        """Clear the old refresh cookie if it belongs to this app and server: another issuer on this host may use the same name."""
        old = asked.request.cookies().get(self.jar.old_name("rt"))
        if old and await self.cookies.knows(old, asked.app.client_id):
            response.add("set-cookie", self.jar.clear_old("rt"))
            response.add("set-cookie", self.jar.clear_old("at"))

    async def _delivered(self, asked: FromAppPage, outcome: TokenResponse | OAuthError) -> Response:
        request = asked.request
        if isinstance(outcome, OAuthError):
            response = self._refused(request, asked.app.client_id, outcome)
            if outcome.code == "invalid_grant":
                # A token that cannot be renewed is useless: the next page load starts a sign-in.
                response.add("set-cookie", self.jar.clear("at"))
                response.add("set-cookie", self.jar.clear("rt"))
            return response
        csrf = csrf_token(outcome.access_token)
        response = json_response(CookiesSet(outcome.expires_in, outcome.scope, csrf))
        response.add("set-cookie", self.jar.set("at", outcome.access_token, outcome.expires_in))
        if outcome.refresh_token is not None:
            # Ends with the browser; the server's absolute limit holds in any case.
            value = self._bound(request, outcome.refresh_token, response)
            response.add("set-cookie", self.jar.set("rt", value, None))
        await self._replace_old(asked, response)
        return response

    def _refused(self, request: Request, client_id: str | None, error: OAuthError) -> Response:
        client = self.config.current().clients.get(client_id or "")
        app = client.name if client is not None else None
        note(error, request, event="cookie_delivery.refused", app=app, client_id=client_id)
        status = {"invalid_client": 401, "access_denied": 403, "invalid_token": 401}.get(error.code, 400)
        return json_response({"error": error.code, "error_description": error.description}, status)

    def _shared(self, request: Request, client_id: str | None, outcome: Response | OAuthError) -> Response:
        """Add CORS headers with credentials, only for the origins registered for this app."""
        response = self._refused(request, client_id, outcome) if isinstance(outcome, OAuthError) else outcome
        response.add("vary", "Origin")
        origin = request.header(b"origin")
        client = self.config.current().clients.get(client_id or "")
        if origin is not None and client is not None and client.first_party and registered(client, origin):
            response.add("access-control-allow-origin", origin)
            response.add("access-control-allow-credentials", "true")
        return response
