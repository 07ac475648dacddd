"""Which Content-Security-Policy a hosted page is sent with."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

_BEFORE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
)
_AFTER = "; base-uri 'none'; frame-ancestors 'none'"

CONTENT_SECURITY_POLICY = _BEFORE + "form-action 'self'" + _AFTER
"""The header value of every hosted page but the form_post page."""


def form_post_policy(targets: Iterable[str]) -> str:
    """Policy of the form_post page (OAuth 2.0 Form Post Response Mode §2): `form-action` grows by each target's origin.

    `targets` are absolute http(s) URLs, usually the one redirect_uri; a browser follows `form-action` through the
    redirects after a POST, so no page but this one may name a foreign origin. Raises ValueError for a URL that has
    no http(s) origin, because what cannot be named exactly must not widen the policy.
    """
    origins = dict.fromkeys(_origin(target) for target in targets)
    return _BEFORE + " ".join(["form-action 'self'", *origins]) + _AFTER


def _origin(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme not in {"http", "https"} or not host or not host.isascii():
        raise ValueError("a form_post target must be an absolute http(s) URL")
    # A stray quote, semicolon or space would end the directive and let the rest of the URL write policy.
    if any(not (char.isalnum() or char in ".-:") for char in host):
        raise ValueError("a form_post target's host has an illegal character")
    shown = f"[{host}]" if ":" in host else host
    port = parts.port
    return f"{parts.scheme}://{shown}" if port is None else f"{parts.scheme}://{shown}:{port}"
