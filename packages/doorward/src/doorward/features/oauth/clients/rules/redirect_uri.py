"""Comparison of redirect URIs: exact, except for the port of a loopback address (RFC 9700 §4.1.3, RFC 8252 §7.3)."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from shlex import quote
from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_SHOWN: Final = 500


def matches(registered: Sequence[str], given: str) -> bool:
    """Whether `given` is registered: byte for byte, or with another port of http://127.0.0.1 or http://[::1] (R1).

    `localhost` has no free port: a name may resolve to another machine (RFC 8252 §8.3).
    """
    if given in registered:
        return True
    loose = _without_port(given)
    return loose is not None and any(loose == _without_port(uri) for uri in registered)


def _without_port(uri: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if host not in LOOPBACK or parts.fragment or "@" in parts.netloc:
        return None
    # urlsplit ignores blanks, line breaks and capitals, so its result is compared with the text.
    if not uri.startswith(f"http://{parts.netloc}"):
        return None
    shown = f"[{host}]" if ":" in host else host
    if parts.netloc not in {shown, f"{shown}:{port}"}:
        return None
    # The part after the authority is compared as written: no decoding, no dot segments.
    return host, uri[len("http://") + len(parts.netloc) :]


def explain(registered: Sequence[str], given: str) -> str:
    """The log text: the given URI and the nearest registered one."""
    given = given[:_SHOWN]
    near = get_close_matches(given, registered, n=1, cutoff=0.3)
    nearest = f"; nearest {near[0]}{_difference(given, near[0])}" if near else ""
    return f"redirect_uri not registered. Got {given}{nearest}"


def fix(given: str, app: str) -> str:
    """The command that registers it, quoted: an operator pastes it into a shell, and the URI comes from outside."""
    return f"doorward app add-redirect {quote(app)} {quote(given[:_SHOWN])}"


def _difference(given: str, near: str) -> str:
    if given.rstrip("/") == near.rstrip("/"):
        return " (trailing slash)"
    if given.lower() == near.lower():
        return " (letter case)"
    if given.partition("://")[2] == near.partition("://")[2]:
        return " (http or https)"
    if given.partition("?")[0] == near.partition("?")[0]:
        return " (query)"
    return ""
