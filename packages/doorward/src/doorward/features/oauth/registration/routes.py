"""Registration endpoint and client configuration endpoint (RFC 7591 §3, RFC 7592 §2)."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.ports.clock import Clock
from doorward.features.oauth.registration.rules import ClientInformation
from doorward.features.oauth.registration.service import Registration
from doorward.web.http import BodyTooLarge, Request, Response, json_response
from doorward.web.oauth_endpoint import authorization, caller
from doorward.web.refusals import note
from doorward.web.route import Operation, Route, machine

REGISTER: Final = "/register"
MOST_BYTES: Final = 16 * 1024
_EVENT = "registration.refused"


class RegistrationEndpoints(Struct, frozen=True, kw_only=True):
    """Handlers of POST /register, and of GET, PUT and DELETE /register/ID."""

    registration: Registration
    clock: Clock

    async def register(self, request: Request) -> Response:
        """Register an app (RFC 7591 §3.1): its metadata as JSON, with an initial access token where this server wants one."""
        answer = await self.registration.register(
            await _document(request), _bearer(request), caller=caller(request), now=self.clock.now()
        )
        return self._answer(answer, request, 201)

    async def read(self, request: Request) -> Response:
        """The registration of an app, for its registration access token (RFC 7592 §2.1)."""
        answer = await self.registration.get(
            _named(request), _bearer(request), caller=caller(request), now=self.clock.now()
        )
        return self._answer(answer, request, 200)

    async def update(self, request: Request) -> Response:
        """Replace the registration (RFC 7592 §2.2). The answer has a new registration access token."""
        answer = await self.registration.update(
            _named(request),
            _bearer(request),
            await _document(request),
            caller=caller(request),
            now=self.clock.now(),
        )
        return self._answer(answer, request, 200)

    async def delete(self, request: Request) -> Response:
        """Remove the app; all that it holds ends now (RFC 7592 §2.3)."""
        error = await self.registration.delete(
            _named(request), _bearer(request), caller=caller(request), now=self.clock.now()
        )
        if error is not None:
            return self._answer(error, request, 204)
        return Response(204, [(b"cache-control", b"no-store")])

    def _answer(self, answer: ClientInformation | OAuthError, request: Request, status: int) -> Response:
        if not isinstance(answer, OAuthError):
            return json_response(answer, status)
        note(answer, request, event=_EVENT)
        status = 401 if answer.code == "invalid_token" else 400
        if answer.retry_at is not None:
            status = 429
        body = {"error": answer.code, "error_description": answer.description}
        response = json_response(body, status)
        if status == 401:
            response.add("www-authenticate", 'Bearer error="invalid_token"')
        if answer.retry_at is not None:
            response.add("retry-after", str(max(1, answer.retry_at - self.clock.now())))
        return response


async def _document(request: Request) -> dict[str, Any]:
    if len(await request.body()) > MOST_BYTES:
        raise BodyTooLarge
    return await request.json_object()


def _bearer(request: Request) -> str | None:
    """The token of the Authorization header (RFC 6750 §2.1). Raises `BadForm` for two."""
    scheme, _, token = (authorization(request) or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _named(request: Request) -> str:
    return request.path.removeprefix(f"{REGISTER}/")


def routes(registration: Registration, *, clock: Clock) -> list[Route]:
    """The routes. Scripts of any origin may register, since apps without a server do so in the browser."""
    endpoints = RegistrationEndpoints(registration=registration, clock=clock)
    register = Operation(
        security="bearer",
        answers={201: ClientInformation},
        errors=(400, 401, 413, 429, 503),
        id="registerClient",
    )
    own = Operation(
        rest="client_id",
        security="bearer",
        answers={200: ClientInformation},
        errors=(400, 401, 413, 429, 503),
    )
    gone = Operation(rest="client_id", security="bearer", answers={204: None}, errors=(401, 429, 503))
    return [
        machine(REGISTER, "POST", endpoints.register, cors=True, operation=register),
        machine(f"{REGISTER}/", "GET", endpoints.read, prefix=True, operation=own),
        machine(f"{REGISTER}/", "PUT", endpoints.update, prefix=True, operation=own),
        machine(f"{REGISTER}/", "DELETE", endpoints.delete, prefix=True, operation=gone),
    ]
