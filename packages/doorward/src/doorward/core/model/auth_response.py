"""Authorization response: where it goes and what it says (OAuth 2.1 §4.1.2)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit, urlunsplit

from msgspec import Struct

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
