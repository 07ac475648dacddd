"""The authorization response: where it goes and what it says (OAuth 2.1 §4.1.2, RFC 9207 §2, Form Post Response Mode §2)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit, urlunsplit

from msgspec import Struct

from doorward.core.errors import Refusal
from doorward.core.model.client import ResponseMode


class AuthResponse(Struct, frozen=True):
    """An answer to an app: `fields` go to `target` in the query or as a form; `app_name` is what the person reads."""

    target: str
    mode: ResponseMode
    fields: dict[str, str]
    app_name: str

    @property
    def url(self) -> str:
        """The whole address for response_mode=query; parameters that the redirect URI already has stay (RFC 6749 §3.1.2)."""
        parts = urlsplit(self.target)
        own = urlencode(self.fields)
        return urlunsplit(parts._replace(query=f"{parts.query}&{own}" if parts.query else own))


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
