"""Tokens in HTTP-only cookies, for browser apps of the house on the same host: who may ask, and what proves a request (ASVS 3.5.1)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from shlex import quote
from typing import Final

from doorward.core.errors import Refusal
from doorward.core.model.client import Client
from doorward.core.web_origin import web_origin

_CSRF_LABEL: Final = "doorward-csrf:"


def csrf_token(access_token: str) -> str:
    """What an unsafe request with the cookie must carry in X-CSRF-Token: only who was answered by this server can know it,
    since the cookie itself is out of every script's reach. Any API can check it without a shared secret."""
    hashed = hashlib.sha256(f"{_CSRF_LABEL}{access_token}".encode()).digest()
    return urlsafe_b64encode(hashed).rstrip(b"=").decode()


def csrf_holds(access_token: str, given: str | None) -> bool:
    """Whether `given` is the token for this cookie; constant time."""
    return given is not None and hmac.compare_digest(csrf_token(access_token).encode(), given.encode())


def registered(client: Client, origin: str) -> bool:
    """Whether the app names this origin, in whichever spelling it was registered."""
    return any(web_origin(each) == origin for each in client.origins)


def allowed(
    client: Client | None,
    *,
    origin: str | None,
    own_origin: str,
    fetch_site: str | None,
    reading: bool = False,
) -> Refusal | None:
    """Whether a page at `origin` may use cookie delivery for this app. None: it may.

    A POST always has an Origin header in a browser; a GET of the same origin has none, then Sec-Fetch-Site must not speak
    against it. Anything that is not a browser has the token endpoint.
    """
    if client is None:
        return Refusal("invalid_client", "This app is not registered here.")
    if not client.first_party or client.confidential:
        return Refusal(
            "unauthorized_client",
            "Cookie delivery is for public first-party apps.",
            f"app {client.name!r} is not a public first-party app. Fix: doorward app set {quote(client.name)} --first-party",
        )
    if origin is None:
        if reading and fetch_site in {None, "same-origin", "none"}:
            return None
        return Refusal("invalid_request", "An Origin header is required.")
    if origin != own_origin and not registered(client, origin):
        return Refusal(
            "access_denied",
            "This web origin may not use cookie delivery.",
            f"origin {origin} is not one of {', '.join(client.origins) or 'none'}. "
            f"Fix: doorward app set {quote(client.name)} "
            + " ".join(f"--origin {quote(each)}" for each in (*client.origins, origin)),
        )
    if fetch_site == "cross-site":
        return Refusal("access_denied", "The request came from another site.")
    return None
