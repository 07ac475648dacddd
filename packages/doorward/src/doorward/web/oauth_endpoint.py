"""Endpoints to which apps send a form and prove themselves: token, introspection, revocation (OAuth 2.1 §3.2, RFC 6749 §5.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from doorward.core.errors import Refusal
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
    answer: Callable[[TokenRequest], Awaitable[T | Refusal]],
    respond: Callable[[T], Response],
    *,
    clock: Clock,
    cors: bool = False,
    hot: bool = False,
    operation: Operation,
) -> Route:
    """POST `path`: what the service answers, as a response or an OAuth error. Measured: every line in it is paid for by every token."""
    url = f"{issuer}{path}"

    async def handle(request: Request) -> Response:
        outcome = await answer(await token_request(request, url=url, now=clock.now()))
        if isinstance(outcome, Refusal):
            return refused(outcome, request, now=clock.now())
        return respond(outcome)

    return machine(path, "POST", handle, cors=cors, hot=hot, operation=operation)


def caller(request: Request) -> Caller:
    """Who sent this, for the record."""
    return Caller(request.client_address, (request.header(b"user-agent") or "")[:300], request.request_id)


def authorization(request: Request) -> str | None:
    """The Authorization header. Raises `BadForm` for two: nobody can know which of them whoever stands in between has checked."""
    headers = request.headers(b"authorization")
    if len(headers) > 1:
        raise BadForm("Send one Authorization header.")
    return headers[0] if headers else None


async def token_request(request: Request, *, url: str, now: int) -> TokenRequest:
    """The request's facts. `url` is the endpoint's. A parameter without a value counts as left out (OAuth 2.1 §3.2), and parameters
    come from the body alone: what stands in a URL ends up in logs (§3.2.2).

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


def refused(refusal: Refusal, request: Request, *, now: int) -> Response:
    """The error response; `because` goes to the log and nowhere else."""
    note(refusal, request)
    status = STATUS.get(refusal.code, 400)
    if refusal.retry_at is not None and status != STATUS["temporarily_unavailable"]:
        status = _TOO_MANY
    response = json_response({"error": refusal.code, "error_description": refusal.say}, status)
    if refusal.retry_at is not None:
        response.add("retry-after", str(max(1, refusal.retry_at - now)))
    # Only who tried that header is challenged for it (RFC 6749 §5.2): in a browser the challenge would open a password box.
    if status == STATUS["invalid_client"] and request.header(b"authorization") is not None:
        response.add("www-authenticate", 'Basic realm="doorward", charset="UTF-8"')
    return response
