"""Authorization responses: success and failure (OAuth 2.1 §4.1.2, RFC 9207 §2, Form Post Response Mode §2)."""

from __future__ import annotations

from doorward.core.errors import OAuthError
from doorward.core.model.auth_response import AuthResponse
from doorward.core.model.request import AuthRequest
from doorward.features.oauth.authorize.rules.request import Origin


def success(asked: AuthRequest | Origin, *, issuer: str, code: str, app_name: str) -> AuthResponse:
    """The code, the app's state and `iss`, by which the app identifies this server (R8)."""
    return _response(asked, {"code": code}, issuer, app_name)


def failure(asked: AuthRequest | Origin, *, issuer: str, error: OAuthError, app_name: str) -> AuthResponse:
    """The refusal's code and safe sentence, with `iss` as well (RFC 9207 §2)."""
    return _response(asked, {"error": error.code, "error_description": error.description}, issuer, app_name)


def _response(
    asked: AuthRequest | Origin, fields: dict[str, str], issuer: str, app_name: str
) -> AuthResponse:
    if asked.state is not None:
        fields["state"] = asked.state
    fields["iss"] = issuer
    return AuthResponse(asked.redirect_uri, asked.response_mode, fields, app_name)
