"""Comparison of redirect URIs: exact, except for the port on the person's own device (RFC 9700 §4.1.3, RFC 8252 §7.3)."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from shlex import quote
from typing import Final
from urllib.parse import urlsplit

from doorward.core.model.client import Client

LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_WITH_NAME: Final = LOOPBACK | {"localhost"}
_SHOWN: Final = 500


def matches(registered: Sequence[str], given: str, *, localhost: bool = False) -> bool:
    """Whether `given` is registered: byte for byte, or with another port of http://127.0.0.1 or http://[::1] (R1).

    `localhost`: the port of http://localhost is free too (`Client.free_localhost`). A name may resolve to another machine (RFC 8252
    §8.3), so this is only for apps on people's devices, many of which cannot register anything else; the person is asked each time.
    """
    if given in registered:
        return True
    hosts = _WITH_NAME if localhost else LOOPBACK
    loose = _without_port(given, hosts)
    return loose is not None and any(loose == _without_port(uri, hosts) for uri in registered)


def on_this_device(uri: str) -> bool:
    """Whether a redirect URI leads to a program on the person's own device by http: any program there could receive the answer."""
    return _without_port(uri, _WITH_NAME) is not None


def shown_first(client: Client, uri: str) -> bool:
    """Whether people are led to `uri` only after a page of this server told them about the app. Anybody can register such an app, and would
    otherwise have addresses of this server that lead anywhere (RFC 9700 §4.11.2): to a site, or by a scheme without a domain to any command of a
    program that many people have."""
    if not client.self_registered or on_this_device(uri):
        return False
    scheme = uri.partition(":")[0].lower()
    return scheme in {"https", "http"} or "." not in scheme


def _without_port(uri: str, hosts: frozenset[str]) -> tuple[str, str] | None:
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if host not in hosts or parts.fragment or "@" in parts.netloc:
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
