"""Userinfo endpoint (OpenID Connect Core §5.3, RFC 6750)."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from doorward.core.errors import OAuthError
from doorward.features.oauth.userinfo.rules import Userinfo
from doorward.features.oauth.userinfo.service import UserinfoService
from doorward.web.http import Request, Response, json_response
from doorward.web.refusals import note
from doorward.web.route import Operation, Route, machine

_FORM: Final = "application/x-www-form-urlencoded"
_STATUS: Final = {"invalid_request": 400, "insufficient_scope": 403}
_JWT_HEADERS: Final = ((b"content-type", b"application/jwt"), (b"cache-control", b"no-store"))


async def _bearer(request: Request) -> str | OAuthError | None:
    """The token from the header or a form body, never from the query, which is logged on the way (RFC 6750 §2, §5.3)."""
    headers = request.headers(b"authorization")
    if len(headers) > 1:
        return OAuthError("invalid_request", "Send one Authorization header.")
    kind = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
    in_body = None
    if request.method == "POST" and kind == _FORM:
        in_body = (await request.form()).get("access_token")
    if not headers:
        return in_body
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        return None
    if in_body is not None:
        return OAuthError("invalid_request", "Send the access token in one place only.")
    return token.strip()


def _refused(error: OAuthError, request: Request) -> Response:
    note(error, request)
    scope = ', scope="openid"' if error.code == "insufficient_scope" else ""
    body = {"error": error.code, "error_description": error.description}
    return json_response(body, _STATUS.get(error.code, 401)).add(
        "www-authenticate", f'Bearer error="{error.code}", error_description="{error.description}"{scope}'
    )


def routes(userinfo: UserinfoService) -> list[Route]:
    """Routes, open to scripts of any origin: only the bearer token counts (§5.3)."""

    async def handle(request: Request) -> Response:
        """Who signed in (OpenID Connect Core §5.3): JSON, or a signed JWT for an app registered so."""
        token = await _bearer(request)
        if isinstance(token, OAuthError):
            return _refused(token, request)
        if token is None:
            # A request without a token gets no error code (RFC 6750 §3.1).
            return Response(401, [(b"cache-control", b"no-store")]).add("www-authenticate", "Bearer")
        answer = await userinfo.answer(token)
        if isinstance(answer, OAuthError):
            return _refused(answer, request)
        if isinstance(answer, str):
            return Response(200, _JWT_HEADERS, answer.encode("ascii"))
        return json_response(answer)

    get = Operation(
        security="bearer",
        # without a token there is no error body (RFC 6750 §3.1)
        answers={200: {"application/json": Userinfo, "application/jwt": str}, 401: None},
        errors=(400, 403, 503),
    )
    return [
        machine("/userinfo", "GET", handle, cors=True, operation=get),
        machine("/userinfo", "POST", handle, cors=True, operation=replace(get, takes="access_token")),
    ]
