"""Authorization request in a browser cookie, for a browser without session: the database row of its sign-in is small, and is deleted on
expiry."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from doorward.web.http import BadForm, parse_form

MAX_AGE: Final = 86_400
"""Seconds: a page left open overnight still leads to the app."""

MOST_CARRIED: Final = 3500
"""Bytes of the cookie's value: browsers store 4096 of name, value and attributes (RFC 6265bis §5.6)."""

_LONGEST: Final = 16_384


def pack(flow: str, params: Mapping[str, str]) -> str | None:
    """The cookie's value for the request with which the sign-in `flow` began; None if it is too long for a cookie."""
    squeezed = zlib.compress(urlencode(params).encode("ascii"), 9)
    value = f"{flow}.{urlsafe_b64encode(squeezed).rstrip(b'=').decode()}"
    return value if len(value) <= MOST_CARRIED else None


def unpack(value: str) -> tuple[str, str] | None:
    """(sign-in id, query of the request). None for a value that this server cannot have set. The browser can forge it, so it is only
    used for a link to this server."""
    flow, _, rest = value.partition(".")
    try:
        squeezed = urlsafe_b64decode(rest + "=" * (-len(rest) % 4))
        opened = zlib.decompressobj()
        query = opened.decompress(squeezed, _LONGEST).decode("ascii")
    except (ValueError, zlib.error):
        return None
    return (flow, query) if query and query.isprintable() and not opened.unconsumed_tail else None


def state_of(value: str) -> str | None:
    """The `state` in the cookie's value."""
    found = unpack(value)
    if found is None:
        return None
    try:
        return parse_form(found[1]).get("state")
    except BadForm:
        return None
