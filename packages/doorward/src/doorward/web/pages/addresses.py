"""URLs on pages: the permitted external ones, and the paths of this server."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from markupsafe import Markup, escape

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*\Z")
# Registration refuses these already (RFC 7591 §5); if that check has a gap, a page must not turn it into script execution.
_NEVER: Final = frozenset(
    {"javascript", "data", "vbscript", "blob", "file", "filesystem", "about", "view-source"}
)
_WEB: Final = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


def outward(url: str) -> str:
    """An absolute external URL, unchanged. Raises ValueError for one that could run as script."""
    # Browsers drop blanks and control characters before they parse the scheme.
    scheme, colon, _ = url.partition(":")
    if not colon or not _SCHEME.match(scheme.lower()) or scheme.lower() in _NEVER:
        raise ValueError("not an address that a page may lead to")
    return url


def inward(issuer: str, path: str, **query: str | None) -> str:
    """A path of this server, below the path of the issuer, with the given parameters.

    None is omitted, and so is a parameter that `path` has already: a request with a parameter twice is refused (R9). Raises
    ValueError unless `path` begins with exactly one slash: `//host` and `/\\host` lead to another host.
    """
    if not path.startswith("/") or path[1:2] in {"/", "\\"} or any(char in path for char in "\t\r\n"):
        raise ValueError("not a path of this server")
    there = {name for name, _ in parse_qsl(urlsplit(path).query, keep_blank_values=True)}
    given = {name: value for name, value in query.items() if value is not None and name not in there}
    joint = "" if not given else ("&" if "?" in path else "?") + urlencode(given)
    return urlsplit(issuer).path.rstrip("/") + path + joint


def host_of(issuer: str) -> str:
    """The host of the issuer, with its port if it has one."""
    return urlsplit(issuer).netloc


def with_links(text: str) -> Markup:
    """Plain text as HTML in which http(s) URLs are links; everything else is escaped."""
    parts: list[Markup] = []
    at = 0
    for match in _WEB.finditer(text):
        parts.append(escape(text[at : match.start()]))
        parts.append(Markup('<a href="{0}">{0}</a>').format(match.group()))
        at = match.end()
    return Markup("").join([*parts, escape(text[at:])])
