"""Content-Security-Policy of hosted pages."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from doorward.web.pages.addresses import outward

_BEFORE: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
)
# Trusted Types: no script of ours writes markup or code, so a sink that gets a string is an attack.
_AFTER: Final = (
    "; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)

CONTENT_SECURITY_POLICY: Final = _BEFORE + "form-action 'self'" + _AFTER
"""The header value of every hosted page except the form_post page."""


def form_post_policy(targets: Iterable[str]) -> str:
    """Policy of the form_post page (OAuth 2.0 Form Post Response Mode §2): `form-action` is extended by each target's scheme.

    `targets` are absolute URLs, usually the one redirect_uri. Browsers apply `form-action` to redirects after a POST too, and an
    app's callback may redirect to any host: with the callback's origin alone, a person redirected to another host would stay on our
    page without a message. The scheme keeps a response under TLS. No other page may name anything external; this one has one form
    and no input field. Raises ValueError for a malformed URL, which must not widen the policy.
    """
    sources = dict.fromkeys(_source(outward(target)) for target in targets)
    return _BEFORE + " ".join(["form-action 'self'", *sources]) + _AFTER


def _source(url: str) -> str:
    parts = urlsplit(url)
    # A native app's private-use URI (RFC 8252 §7.1) has only a scheme.
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
