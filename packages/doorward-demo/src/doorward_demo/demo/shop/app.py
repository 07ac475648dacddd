"""The demo app's routes: its page, sign-in and callback, sign-out, and back-channel logout."""

from __future__ import annotations

import hmac
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx2
from msgspec import Struct, field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from doorward_demo.demo import clock_and_random
from doorward_demo.demo.example.provider import PATH, ExampleProvider
from doorward_demo.demo.looks import STYLE
from doorward_demo.demo.shop import logout_token, views
from doorward_demo.demo.shop.api import OrdersApi, SignedOut, StepUpRequired
from doorward_demo.demo.shop.provider import Provider, Registration, Turned, Unavailable
from doorward_demo.demo.shop.sessions import Pending, Session, Sessions, pending
from doorward_demo.dev.places import HOST, NAME, OTHER_HOST
from doorward_verify.auth_error import AuthError

_MAX_BODY: Final = 64 * 1024


class Shop(Struct, frozen=True, kw_only=True):
    """The handlers. `sessions` is the app's only state."""

    registration: Registration
    provider: Provider
    api: OrdersApi
    sessions: Sessions = field(default_factory=Sessions)
    seen: logout_token.SeenOnce = field(default_factory=logout_token.SeenOnce)

    @property
    def session_cookie(self) -> str:
        """Browsers do not separate cookies by port: two shops on one host would sign out each other's people."""
        return f"shop_{urlsplit(self.registration.redirect_uri).port or 0}_session"

    @property
    def sign_in_cookie(self) -> str:
        """The same for a pending sign-in."""
        return f"shop_{urlsplit(self.registration.redirect_uri).port or 0}_sign_in"

    async def home(self, request: Request) -> Response:
        """Signed out: a button. Signed in: the person, and their orders, fetched from the API with the access token."""
        if (own := self._own_address(request)) is not None:
            return RedirectResponse(own, 303)
        session = self.sessions.get(request.cookies.get(self.session_cookie))
        if session is None:
            return views.signed_out(self.registration)
        try:
            return await self._orders_page(session)
        except SignedOut:
            return self._over(request)

    async def sign_in(self, request: Request) -> Response:
        """Redirect to the sign-in page, and keep the values that check its answer."""
        if (own := self._own_address(request)) is not None:
            return RedirectResponse(own, 303)
        return await self._begin(request, pending(clock_and_random.now()))

    async def _begin(self, request: Request, begun: Pending, **more: str) -> Response:
        address = await self.provider.sign_in_address(begun, **more)
        response = RedirectResponse(address, 303)
        self._set(
            response,
            self.sign_in_cookie,
            self.sessions.begin(request.cookies.get(self.sign_in_cookie), begun),
        )
        return response

    async def callback(self, request: Request) -> Response:
        """The answer of the sign-in page: a code, or an error."""
        query = request.query_params
        browser, now = request.cookies.get(self.sign_in_cookie), clock_and_random.now()
        begun = self.sessions.take_pending(browser, query.get("state"), now)
        if begun is None:
            # a sign-in that this browser did not begin: an attacker's code must not start this person's
            # session (login CSRF)
            if self.sessions.get(request.cookies.get(self.session_cookie)) is not None:
                # the back button, or an old tab: the signed-in person stays signed in, and the answer is ignored
                return RedirectResponse("/", 303)
            return views.failed("This sign-in was not begun here, or too long ago.", 400)
        if query.get("iss") != self.registration.issuer:
            return views.failed("The answer came from another server than the one that was asked.", 400)
        if "error" in query:
            return views.cancelled(query["error"])
        try:
            session = await self._session(query.get("code", ""), begun)
        except (Turned, AuthError):
            return views.failed("The sign-in could not be completed.", 400)
        self.sessions.remove(request.cookies.get(self.session_cookie))
        response = RedirectResponse(begun.back, 303)
        self._set(response, self.session_cookie, self.sessions.add(session))
        return response

    async def order(self, request: Request) -> Response:
        """Place an order, if the API permits it."""
        session = self.sessions.get(request.cookies.get(self.session_cookie))
        form = await _form(request)
        if session is None or not _same(form.get("csrf"), session.csrf):
            return RedirectResponse("/", 303)
        text = form.get("quantity", "")
        quantity = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
        body = {"item": form.get("item", "").strip(), "quantity": quantity}
        try:
            answer = await self.api.call(session, "POST", "/orders", body)
            return await self._orders_page(session, placed=answer)
        except SignedOut:
            return self._over(request)

    async def invoices(self, request: Request) -> Response:
        """Invoices, for which the API wants two factors, shown recently: the sign-in page asks for what is missing, and
        then the request is sent again. Once only: a person without a second factor would be sent back and forth."""
        session = self.sessions.get(request.cookies.get(self.session_cookie))
        if session is None:
            return RedirectResponse("/", 303)
        try:
            return views.invoices(session, await self.api.call(session, "GET", "/invoices"))
        except SignedOut:
            return self._over(request)
        except StepUpRequired as wanted:
            if "again" in request.query_params:
                return views.not_strong_enough(self.registration)
            begun = pending(clock_and_random.now(), back="/invoices?again")
            hint = str(session.who.claims.get("email", ""))
            return await self._begin(
                request, begun, acr_values=wanted.acr_values, max_age=wanted.max_age, login_hint=hint
            )

    async def sign_out(self, request: Request) -> Response:
        """Sign out of this app, and redirect to the server, which ends the session everywhere."""
        key = request.cookies.get(self.session_cookie)
        session = self.sessions.get(key)
        form = await _form(request)
        if session is None or not _same(form.get("csrf"), session.csrf):
            return RedirectResponse("/", 303)
        address = await self.provider.sign_out_address(session.id_token, clock_and_random.token())
        self.sessions.remove(key)
        response = RedirectResponse(address, 303)
        response.delete_cookie(self.session_cookie)
        return response

    async def signed_out(self, request: Request) -> Response:
        """Return from the server after the sign-out."""
        del request
        return views.signed_out(self.registration, done="You are signed out, here and at Doorward.")

    async def backchannel_logout(self, request: Request) -> Response:
        """The server reports that a session has ended (Back-Channel Logout 1.0 §2.5 to §2.8)."""
        token = (await _form(request)).get("logout_token", "")
        try:
            ended = await self._ended(token)
        except AuthError as refused:
            body = {"error": "invalid_request", "error_description": refused.detail}
            return JSONResponse(body, 400, {"Cache-Control": "no-store"})
        self.sessions.end(sid=ended.sid, sub=ended.sub)
        return Response(status_code=200, headers={"Cache-Control": "no-store"})

    async def _ended(self, token: str) -> logout_token.Ended:
        registered = self.registration
        for anew in (False, True):
            try:
                return logout_token.verify(
                    token,
                    await self.provider.keys(anew=anew),
                    issuer=registered.issuer,
                    client_id=registered.client_id,
                    seen=self.seen,
                    now=clock_and_random.now(),
                )
            except AuthError as refused:
                if refused.reason != "unknown_key" or anew:
                    raise
        raise AssertionError("the second round returns or raises")

    async def _session(self, code: str, begun: Pending) -> Session:
        tokens = await self.provider.redeem(code, begun.verifier)
        who = await self.provider.who(tokens, nonce=begun.nonce)
        assert tokens.id_token is not None
        return Session(
            who=who,
            id_token=tokens.id_token,
            access_token=tokens.access_token,
            access_expires_at=tokens.expires_at,
            refresh_token=tokens.refresh_token,
            scopes=tokens.scopes,
            csrf=clock_and_random.token(),
        )

    async def _orders_page(self, session: Session, placed: Any = None) -> Response:
        answer = await self.api.call(session, "GET", "/orders")
        return views.orders(session, answer, placed=placed, now=clock_and_random.now())

    def _own_address(self, request: Request) -> str | None:
        """The same page at the app's own name, for a request to 127.0.0.1 or ::1: its callback has that name, and
        cookies of another host would not reach it."""
        own = urlsplit(self.registration.redirect_uri)
        if own.hostname != NAME or request.url.hostname not in {HOST, OTHER_HOST}:
            return None
        return f"{own.scheme}://{own.netloc}{request.url.path}"

    def _over(self, request: Request) -> Response:
        self.sessions.remove(request.cookies.get(self.session_cookie))
        response = views.signed_out(
            self.registration, ended="Your session has ended. Sign in again to go on."
        )
        response.delete_cookie(self.session_cookie)
        return response

    def _set(self, response: Response, name: str, value: str) -> None:
        secure = self.registration.redirect_uri.startswith("https:")
        response.set_cookie(name, value, httponly=True, samesite="lax", secure=secure)


def create_app(registration: Registration) -> Starlette:
    """Build the app as one ASGI callable."""
    http = httpx2.AsyncClient(timeout=10, trust_env=False)
    provider = Provider(registration, http)
    shop = Shop(registration=registration, provider=provider, api=OrdersApi(registration.api, provider, http))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with http:
            yield

    example = ExampleProvider(
        issuer=registration.redirect_uri.removesuffix("/callback") + PATH,
        redirect_uri=f"{registration.issuer}/sign-in/provider/example/callback",
    )
    routes = [
        *example.routes(),
        Route("/", shop.home),
        Route("/sign-in", shop.sign_in),
        Route("/callback", shop.callback),
        Route("/orders", shop.order, methods=["POST"]),
        Route("/invoices", shop.invoices),
        Route("/sign-out", shop.sign_out, methods=["POST"]),
        Route("/signed-out", shop.signed_out),
        Route("/backchannel-logout", shop.backchannel_logout, methods=["POST"]),
        Route("/style.css", _style),
        Route("/healthz", _healthz),
    ]
    handlers = {Unavailable: _unavailable, HTTPException: _elsewhere}
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)


async def _style(request: Request) -> Response:
    del request
    return Response(STYLE, media_type="text/css")


async def _healthz(request: Request) -> Response:
    del request
    return PlainTextResponse("ok")


async def _unavailable(request: Request, problem: Exception) -> Response:
    del request, problem
    return views.failed(
        "The sign-in server or the orders API does not answer right now. Try again in a moment.", 503
    )


async def _elsewhere(request: Request, problem: Exception) -> Response:
    del request
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    return views.failed(
        "There is nothing at this address." if status == 404 else "This is not possible here.", status
    )


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise HTTPException(413)
    return dict(parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True, max_num_fields=50))


def _same(given: str | None, wanted: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), wanted.encode())
