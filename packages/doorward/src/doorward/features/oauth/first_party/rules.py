"""Tokens in HTTP-only cookies, for first-party browser apps on the same host: allowed pages, and the CSRF token (ASVS 3.5.1)."""

from __future__ import annotations

import hashlib
import hmac
from shlex import quote
from typing import Final

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.web_origin import web_origin
from doorward_verify.encoding import b64url_encode

_CSRF_LABEL: Final = "doorward-csrf:"


def csrf_token(access_token: str) -> str:
    """The value that an unsafe request with the cookie must carry in X-CSRF-Token. Only a page that received a response of this server
    knows it, since scripts cannot read the cookie. Any API can check it without a shared secret."""
    return b64url_encode(hashlib.sha256(f"{_CSRF_LABEL}{access_token}".encode()).digest())


def csrf_holds(access_token: str, given: str | None) -> bool:
    """Whether `given` is the token for this cookie; constant time."""
    return given is not None and hmac.compare_digest(csrf_token(access_token).encode(), given.encode())


def registered(client: Client, origin: str) -> bool:
    """Whether the origin is registered for the app, in any spelling."""
    return any(web_origin(each) == origin for each in client.origins)


def allowed(
    client: Client | None,
    *,
    origin: str | None,
    own_origin: str,
    fetch_site: str | None,
    reading: bool = False,
) -> OAuthError | None:
    """Whether a page at `origin` may use cookie delivery for this app. None: it may.

    In a browser a POST always has an Origin header. A GET of the same origin has none, and then Sec-Fetch-Site must not contradict.
    Clients other than browsers use the token endpoint.
    """
    if client is None:
        return OAuthError("invalid_client", "This app is not registered here.")
    if not client.first_party or client.confidential:
        return OAuthError(
            "unauthorized_client",
            "Cookie delivery is for public first-party apps.",
            f"app {client.name!r} is not a public first-party app",
            fix=f"doorward app set {quote(client.name)} --first-party",
        )
    if origin is None:
        if reading and fetch_site in {None, "same-origin", "none"}:
            return None
        return OAuthError("invalid_request", "An Origin header is required.")
    if origin != own_origin and not registered(client, origin):
        return OAuthError(
            "access_denied",
            "This web origin may not use cookie delivery.",
            f"origin {origin} is not one of {', '.join(client.origins) or 'none'}",
            fix=f"doorward app set {quote(client.name)} "
            + " ".join(f"--origin {quote(each)}" for each in (*client.origins, origin)),
        )
    if fetch_site == "cross-site":
        return OAuthError("access_denied", "The request came from another site.")
    return None
