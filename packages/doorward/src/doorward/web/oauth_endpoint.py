"""Endpoints for forms of authenticated apps: token, introspection, revocation (OAuth 2.1 §3.2, RFC 6749 §5.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.clock import Clock
from doorward.web.http import BadForm, Request, Response, json_response
from doorward.web.refusals import note
from doorward.web.route import Operation, Route, machine

STATUS: Final = {"invalid_client": 401, "temporarily_unavailable": 503, "server_error": 500}
_TOO_MANY: Final = 429

T = TypeVar("T")


def client_endpoint(
    issuer: str,
    path: str,
    answer: Callable[[TokenRequest], Awaitable[T | OAuthError]],
    respond: Callable[[T], Response],
    *,
    clock: Clock,
    cors: bool = False,
    hot: bool = False,
    operation: Operation,
) -> Route:
    """POST `path`: the service's result as a response or an OAuth error. On the hot path: every line costs time for every token."""
    url = f"{issuer}{path}"

    async def handle(request: Request) -> Response:
        outcome = await answer(await token_request(request, url=url, now=clock.now()))
        if isinstance(outcome, OAuthError):
            return refused(outcome, request, now=clock.now())
        return respond(outcome)

    return machine(path, "POST", handle, cors=cors, hot=hot, operation=operation)


def caller(request: Request) -> Caller:
    """The sender of the request, for the audit log."""
    return Caller(request.client_address, (request.header(b"user-agent") or "")[:300], request.request_id)


def authorization(request: Request) -> str | None:
    """The Authorization header. Raises `BadForm` for two: an intermediary may have checked the other one."""
    headers = request.headers(b"authorization")
    if len(headers) > 1:
        raise BadForm("Send one Authorization header.")
    return headers[0] if headers else None


async def token_request(request: Request, *, url: str, now: int) -> TokenRequest:
    """The request's facts. `url` is the endpoint's. A parameter without a value counts as omitted (OAuth 2.1 §3.2), and parameters are
    read from the body only, since URLs are logged (§3.2.2).

    Raises `BadForm`.
    """
    form = await request.form()
    if "" in form.values():
        form = {name: value for name, value in form.items() if value}
    return TokenRequest(
        form=form,
        method=request.method,
        url=url,
        caller=caller(request),
        now=now,
        authorization=authorization(request),
    )


def refused(error: OAuthError, request: Request, *, now: int) -> Response:
    """The error response; `because` goes to the log only."""
    note(error, request)
    status = STATUS.get(error.code, 400)
    if error.retry_at is not None and status != STATUS["temporarily_unavailable"]:
        status = _TOO_MANY
    response = json_response({"error": error.code, "error_description": error.description}, status)
    if error.retry_at is not None:
        response.add("retry-after", str(max(1, error.retry_at - now)))
    # Only requests with that header are challenged (RFC 6749 §5.2): in a browser the challenge would open a password box.
    if status == STATUS["invalid_client"] and request.header(b"authorization") is not None:
        response.add("www-authenticate", 'Basic realm="doorward", charset="UTF-8"')
    return response
