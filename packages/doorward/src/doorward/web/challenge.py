"""POST /authorize-challenge: the JSON sign-in of first-party apps (OAuth 2.0 for First-Party Applications §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from doorward.actions.challenge import Challenge, Code, More
from doorward.model.refusal import Refusal
from doorward.web.back_channel import caller, refused
from doorward.web.http import BadForm, Request, Response, Route, json_response, route
from doorward.web.refusals import note


@dataclass(frozen=True, slots=True)
class ChallengeEndpoint:
    """Reads form or JSON, answers JSON."""

    challenge: Challenge

    async def handle(self, request: Request) -> Response:
        """200 with a code, 403 insufficient_authorization with `auth_session` and `next`, or an OAuth error."""
        params = await _parameters(request)
        headers = request.headers(b"authorization")
        if len(headers) > 1:
            raise BadForm("Send one Authorization header.")
        authorization = headers[0] if headers else None
        outcome = await self.challenge(params, authorization=authorization, caller=caller(request))
        match outcome:
            case Code(authorization_code=code):
                return json_response({"authorization_code": code})
            case More():
                return _more(outcome, request, self.challenge.clock.now())
            case Refusal():
                return refused(outcome, request, now=self.challenge.clock.now())


async def _parameters(request: Request) -> dict[str, str]:
    kind = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return await request.form()
    params: dict[str, str] = {}
    for name, value in (await request.json_object()).items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise BadForm("Every member must be text.")
        text = str(value)
        if "\x00" in text or "\x00" in name:
            raise BadForm("A member holds a NUL character.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadForm("A member is not valid Unicode.") from None
        params[name] = text
    return params


def _more(outcome: More, request: Request, now: int) -> Response:
    body: dict[str, Any] = {
        "error": "insufficient_authorization",
        "error_description": "More is needed to sign in.",
        "auth_session": outcome.auth_session,
        "next": outcome.next,
    }
    because = outcome.because
    if because is None:
        return json_response(body, 403)
    note(because, request, event="sign-in step refused")
    body["error"] = because.code
    body["error_description"] = because.say
    if because.retry_at is None:
        return json_response(body, 403)
    body["retry_at"] = because.retry_at
    return json_response(body, 429).add("retry-after", str(max(1, because.retry_at - now)))


def routes(*, challenge: Challenge) -> list[Route]:
    """The one path. Open to scripts of other origins: no cookie is read here, and the credential is in the body."""
    return [route("/authorize-challenge", "POST", ChallengeEndpoint(challenge).handle, cors=True)]
