"""A refusal as a line of the log: which app, why, what mends it, and the number that whoever was refused can name."""

from __future__ import annotations

from shlex import quote
from typing import Final

import structlog

from doorward.core.errors import OAuthError, OAuthErrorCode
from doorward.web.http import Request

# What mends a refusal that does not say so itself. APP becomes the app's name.
FIXES: Final[dict[OAuthErrorCode, str]] = {
    "invalid_request": "change the app's request as the reason says",
    "invalid_client": "compare client_id, credential and method with the registration: doorward app show APP",
    "invalid_grant": "the app begins a new sign-in",
    "unauthorized_client": "doorward app show APP says what it is registered for; doorward app set APP changes that",
    "unsupported_grant_type": "the app takes one of the grants that the metadata names",
    "unsupported_response_type": "set the app's library to the code flow: response_type=code",
    "unsupported_token_type": "the app sends an access or a refresh token",
    "invalid_scope": "doorward app show APP says what it may ask for; doorward app set APP --api API:PERMISSION adds to that",
    "invalid_target": "doorward api list names the APIs; doorward app set APP --api API lets the app reach one",
    "access_denied": "nothing where the person said no; else change the app as the reason says",
    "login_required": "nothing: the app asks again without prompt=none",
    "consent_required": "nothing: the app asks again without prompt=none",
    "interaction_required": "nothing: the app sends the person to the sign-in page",
    "account_selection_required": "nothing: the app asks again without prompt=none",
    "request_not_supported": "switch request objects off in the app's library",
    "request_uri_not_supported": "switch request objects off in the app's library",
    "unmet_authentication_requirements": "the person sets up a second factor, or the app asks for less in acr_values",
    "insufficient_user_authentication": "the app sends the person to sign in again",
    "invalid_token": "the app gets a new token, by refresh or sign-in",
    "insufficient_scope": "the app asks for the scope that is missing",
    "insufficient_authorization": "the app sends what `next` names",
    "invalid_session": "the app begins again without auth_session",
    "too_many_attempts": "wait until the time that was answered",
    "invalid_redirect_uri": "the app's author changes its addresses as the reason says",
    "invalid_client_metadata": "the app's author changes its metadata as the reason says",
    "redirect_to_web": "open the sign-in page, with a request to /authorize",
    "authorization_pending": "nothing: the person types the code that the device shows",
    "slow_down": "the app adds five seconds to its interval each time",
    "expired_token": "the device asks for a new code",
    "temporarily_unavailable": "try again in a moment",
    "server_error": "look for the request id in the log",
}
_EXPECTED: Final[frozenset[OAuthErrorCode]] = frozenset({"authorization_pending"})
"""Ordinary answers: a device hears one every five seconds while a person decides."""
log = structlog.get_logger("doorward.refusals")


def note(
    error: OAuthError,
    request: Request,
    *,
    event: str = "request.refused",
    app: str | None = None,
    client_id: str | None = None,
    warning: bool = False,
) -> None:
    """Write the line. `app` is the name of a registered app; `client_id` what the request said, where it named none."""
    if error.code in _EXPECTED:
        return
    name = app or error.app or None
    who = name or (client_id or "")[:80]
    said = {
        "app": name,
        "client_id": None if name else who or None,
        "error_code": error.code,
        "reason": (error.reason or error.description).rstrip("."),
        "fix": error.fix or FIXES[error.code].replace("APP", quote(who) if who else "APP"),
        "path": request.path,
        "request_id": request.request_id,
    }
    (log.warning if warning else log.info)(event, **{key: value for key, value in said.items() if value})
