"""Authorization response: its target and parameters (OAuth 2.1 §4.1.2)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit, urlunsplit

from msgspec import Struct

from doorward.core.model.client import ResponseMode


class AuthResponse(Struct, frozen=True):
    """A response to an app: `fields` go to `target` in the query or as a form; `app_name` is shown to the person."""

    target: str
    mode: ResponseMode
    fields: dict[str, str]
    app_name: str

    @property
    def url(self) -> str:
        """The complete URL for response_mode=query; existing parameters of the redirect URI stay (RFC 6749 §3.1.2)."""
        parts = urlsplit(self.target)
        own = urlencode(self.fields)
        return urlunsplit(parts._replace(query=f"{parts.query}&{own}" if parts.query else own))
