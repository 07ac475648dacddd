"""Equality of resource indicators (RFC 8707 §2, RFC 3986 §6.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import urlsplit

_DEFAULT_PORT: Final = {"http": 80, "https": 443}
_PLAIN: Final = re.compile(r"[\x21-\x7E]+")
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def same(one: str, other: str) -> bool:
    """Whether both are the same identifier, or the same URL in another spelling."""
    return one == other or canonical(one) == canonical(other)


def find(resource: str, known: Iterable[str]) -> str | None:
    """The identifier among `known` that equals `resource`, in its registered spelling; None when none or several match."""
    among = tuple(known)
    if resource in among:
        return resource
    wanted = canonical(resource)
    found = [identifier for identifier in among if canonical(identifier) == wanted]
    return found[0] if len(found) == 1 else None


def canonical(uri: str) -> str:
    """The canonical spelling of an http or https URL; any other text unchanged.

    Scheme and host in lower case, no default port, no empty path, no unnecessary percent-encoding (RFC 3986 §6.2.2, §6.2.3). A slash
    at the end of a longer path, and the query, make a different URL. Identifiers that are not web addresses (`urn:example:orders`)
    have no such rules and are compared character by character; so are malformed ones.
    """
    # urlsplit drops tabs and line ends, so different texts would become equal.
    if not _PLAIN.fullmatch(uri) or "#" in uri or "\\" in uri:
        return uri
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
        if host is not None and ":" in host:
            host = f"[{IPv6Address(host)}]"
    except ValueError:
        return uri
    if parts.scheme not in _DEFAULT_PORT or not host or "@" in parts.netloc:
        return uri
    where = host if port is None or port == _DEFAULT_PORT[parts.scheme] else f"{host}:{port}"
    path = _ENCODED.sub(_decoded, parts.path) or "/"
    query = f"?{_ENCODED.sub(_decoded, parts.query)}" if parts.query else ""
    return f"{parts.scheme}://{where}{path}{query}"


def _decoded(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()
