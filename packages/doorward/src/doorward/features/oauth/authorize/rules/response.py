"""Authorization responses: success and failure (OAuth 2.1 §4.1.2, RFC 9207 §2, Form Post Response Mode §2)."""

from __future__ import annotations

from doorward.core.errors import Refusal
from doorward.core.model.auth_response import AuthResponse
from doorward.core.model.client import ResponseMode


def success(
    *, redirect_uri: str, mode: ResponseMode, state: str | None, issuer: str, code: str, app_name: str
) -> AuthResponse:
    """The code, the app's state and `iss` (line 8: the app can tell which server answered)."""
    fields = {"code": code, **({"state": state} if state is not None else {}), "iss": issuer}
    return AuthResponse(redirect_uri, mode, fields, app_name)


def failure(
    *, redirect_uri: str, mode: ResponseMode, state: str | None, issuer: str, refusal: Refusal, app_name: str
) -> AuthResponse:
    """The refusal's code and safe sentence; `iss` here as well (RFC 9207 §2)."""
    fields = {"error": refusal.code, "error_description": refusal.say}
    if state is not None:
        fields["state"] = state
    fields["iss"] = issuer
    return AuthResponse(redirect_uri, mode, fields, app_name)
