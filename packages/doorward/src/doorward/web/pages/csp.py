"""Which Content-Security-Policy a hosted page is sent with."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from doorward.web.pages.addresses import outward

_BEFORE: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
)
_AFTER: Final = "; base-uri 'none'; frame-ancestors 'none'"

CONTENT_SECURITY_POLICY: Final = _BEFORE + "form-action 'self'" + _AFTER
"""The header value of every hosted page but the form_post page."""


def form_post_policy(targets: Iterable[str]) -> str:
    """Policy of the form_post page (OAuth 2.0 Form Post Response Mode §2): `form-action` grows by each target's scheme.

    `targets` are absolute URLs, usually the one redirect_uri. A browser holds `form-action` against the redirects after a
    POST too, and where an app's callback sends people on to is its own business: with the callback's origin alone, whoever is
    sent on to another host stays on our page without a word. The scheme keeps an answer that begins under TLS under TLS. No
    page but this one, which has one form and nothing that anybody types, may name anything foreign. Raises ValueError for an
    address that is no plain one: it must not widen the policy.
    """
    sources = dict.fromkeys(_source(outward(target)) for target in targets)
    return _BEFORE + " ".join(["form-action 'self'", *sources]) + _AFTER


def _source(url: str) -> str:
    parts = urlsplit(url)
    # For a native app's own scheme (RFC 8252 §7.1) the scheme is all that there is.
    if parts.scheme in {"http", "https"}:
        _check(parts)
    return f"{parts.scheme}:"


def _check(parts: SplitResult) -> None:
    host, _ = parts.hostname, parts.port
    if host is not None and ":" in host:
        IPv6Address(host)
        return
    if not host or not all(char.isascii() and (char.isalnum() or char in ".-_") for char in host):
        raise ValueError("a form_post target needs a host name of letters, digits, hyphens and dots")
