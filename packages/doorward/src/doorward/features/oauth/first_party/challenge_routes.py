"""POST /authorize-challenge: the JSON sign-in of first-party apps (OAuth 2.0 for First-Party Applications §5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct, defstruct

from doorward.core.errors import OAuthError
from doorward.features.authn.flow.factor import JsonStep
from doorward.features.oauth.authorize.rules.request import PARAMETERS
from doorward.features.oauth.clients.rules import own_page as page
from doorward.features.oauth.first_party.challenge import AuthorizationChallenge
from doorward.features.oauth.first_party.outcomes import Code, More
from doorward.web.http import BadForm, Request, Response, json_response
from doorward.web.oauth_endpoint import authorization, caller, refused
from doorward.web.refusals import note
from doorward.web.route import Operation, Route, machine


class ChallengeEndpoint(Struct, frozen=True):
    """Reads form or JSON, answers JSON."""

    challenge: AuthorizationChallenge

    def routes(self) -> list[Route]:
        """Routes of the path. Pages of the app and clients without an Origin may use it."""
        steps = self.challenge.steps()
        step = Annotated[str, Meta(extra_json_schema={"enum": [step.name for step in steps]})]
        wanted = defstruct("ChallengeMore", [("next", step)], bases=(StepWanted,))
        names = (
            "auth_session username device_token trust trust_token method send",
            *(step.field for step in steps),
            PARAMETERS,
        )
        operation = Operation(
            takes=" ".join(names),
            shapes={step.field: {"description": step.meaning} for step in steps if step.meaning},
            json=True,
            security="app",
            answers={200: Code, 403: wanted, 429: wanted},
        )
        return [
            machine("/authorize-challenge", "POST", self.handle, operation=operation),
            machine("/authorize-challenge", "OPTIONS", self.preflight),
        ]

    async def handle(self, request: Request) -> Response:
        """Sign in without a page (OAuth 2.0 for First-Party Applications §5). 200 with a code, 403 insufficient_authorization with `auth_session` and `next`, or an OAuth error."""
        params = await _parameters(request, self.challenge.steps())
        origin = request.header(b"origin")
        outcome = await self.challenge.answer(
            params, authorization=authorization(request), caller=caller(request), origin=origin
        )
        match outcome:
            case Code():
                response = json_response(outcome)
            case More():
                response = _more(outcome, request, self.challenge.clock.now())
            case OAuthError():
                response = refused(outcome, request, now=self.challenge.clock.now())
        client = self.challenge.config.current().clients.get(params.get("client_id", ""))
        if origin is not None and client is not None and origin in page.origins(client):
            response.add("access-control-allow-origin", origin)
        return response.add("vary", "Origin")

    async def preflight(self, request: Request) -> Response:
        """The browser's preflight: whether a page may send JSON here. Which app it speaks for is not said yet, so any app's page may ask; no credentials."""
        response = Response(204).add("vary", "Origin").add("allow", "OPTIONS, POST")
        origin = request.header(b"origin")
        if origin is not None and page.known(self.challenge.config.current().clients.values(), origin):
            response.add("access-control-allow-origin", origin)
            response.add("access-control-allow-methods", "POST")
            response.add("access-control-allow-headers", "authorization, content-type, dpop")
            response.add("access-control-max-age", "600")
        return response


async def _parameters(request: Request, steps: Sequence[JsonStep]) -> dict[str, str]:
    # typed texts, which a JSON number would change
    typed = {"trust_token", "username", *(step.field for step in steps)}
    kind = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return await request.form()
    params: dict[str, str] = {}
    for name, value in (await request.json_object()).items():
        if value is None:
            # like a parameter without a value, which counts as omitted (RFC 6749 §3.2)
            continue
        if name in typed and not isinstance(value, str):
            raise BadForm(f'{name} must be text, as in "012345": a number loses its leading zeros.')
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


class StepWanted(Struct, omit_defaults=True):
    """More is needed to sign in, or the last step was refused: send what `next` names, with `auth_session`."""

    error: str
    error_description: str
    auth_session: str
    next: str
    acceptable: tuple[dict[str, Any], ...] = ()
    """All that may be next: `step`, for a typed code its `method`, for a code that is sent `to` and `sent`, for a passkey the `options`. `redirect_to_web`
    with its `providers`: for people who sign in elsewhere the app opens the sign-in page."""
    retry_at: int | None = None
    """Seconds since the epoch."""


def _more(outcome: More, request: Request, now: int) -> Response:
    following = outcome.auth_session, outcome.next, outcome.acceptable
    because = outcome.because
    if because is None:
        needed = "insufficient_authorization", "More is needed to sign in."
        return json_response(StepWanted(*needed, *following), 403)
    note(because, request, event="challenge.refused")
    body = StepWanted(because.code, because.description, *following, because.retry_at)
    if because.retry_at is None:
        return json_response(body, 403)
    return json_response(body, 429).add("retry-after", str(max(1, because.retry_at - now)))
