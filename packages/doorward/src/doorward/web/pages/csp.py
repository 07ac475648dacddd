"""Which Content-Security-Policy a hosted page is sent with."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import urlsplit

from doorward.web.pages.addresses import outward

_BEFORE: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
)
_AFTER: Final = "; base-uri 'none'; frame-ancestors 'none'"

CONTENT_SECURITY_POLICY: Final = _BEFORE + "form-action 'self'" + _AFTER
"""The header value of every hosted page but the form_post page."""


def form_post_policy(targets: Iterable[str]) -> str:
    """Policy of the form_post page (OAuth 2.0 Form Post Response Mode §2): `form-action` grows by each target's origin.

    `targets` are absolute URLs, usually the one redirect_uri; a browser holds `form-action` against the redirects
    after a POST too, so no page but this one may name a foreign origin. For a native app's own scheme (RFC 8252 §7.1)
    and for an IPv6 address, which no policy can name, the scheme stands alone. Raises ValueError for any other
    address that has no origin to name: it must not widen the policy.
    """
    sources = dict.fromkeys(_source(outward(target)) for target in targets)
    return _BEFORE + " ".join(["form-action 'self'", *sources]) + _AFTER


def _source(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        return f"{parts.scheme}:"
    host = parts.hostname
    if host is not None and ":" in host:
        # No policy can name an IPv6 address (CSP3 §2.3.1 host-source), and browsers drop one that does: the loopback app
        # at [::1] would never get its answer. The scheme alone is wider, on a page whose one form goes to one address.
        IPv6Address(host)
        return f"{parts.scheme}:"
    # A quote, semicolon or space would end the directive and let the rest of the URL write policy.
    if not host or not all(char.isascii() and (char.isalnum() or char in ".-_") for char in host):
        raise ValueError("a form_post target needs a host name that a policy can hold")
    return f"{parts.scheme}://{host}" if parts.port is None else f"{parts.scheme}://{host}:{parts.port}"
