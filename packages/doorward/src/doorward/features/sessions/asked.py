"""An app's own request, kept in the browser of somebody whom nobody knows yet: a row of ours is small, and goes when it expires."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from doorward.web.http import BadForm, parse_form

MAX_AGE: Final = 86_400
"""Seconds: a page that was left open over night still leads to the app."""

MOST_CARRIED: Final = 3500
"""Bytes of the cookie's value: browsers keep 4096 of name, value and attributes (RFC 6265bis §5.6)."""

_LONGEST: Final = 16_384


def pack(flow: str, params: Mapping[str, str]) -> str | None:
    """The cookie's value for the request that the sign-in `flow` began with; None if it is too long for a cookie."""
    squeezed = zlib.compress(urlencode(params).encode("ascii"), 9)
    value = f"{flow}.{urlsafe_b64encode(squeezed).rstrip(b'=').decode()}"
    return value if len(value) <= MOST_CARRIED else None


def unpack(value: str) -> tuple[str, str] | None:
    """(the sign-in, the request's query). None for what we cannot have set; it is the browser's own word, good for a link to ourselves."""
    flow, _, rest = value.partition(".")
    try:
        squeezed = urlsafe_b64decode(rest + "=" * (-len(rest) % 4))
        opened = zlib.decompressobj()
        query = opened.decompress(squeezed, _LONGEST).decode("ascii")
    except (ValueError, zlib.error):
        return None
    return (flow, query) if query and query.isprintable() and not opened.unconsumed_tail else None


def state_of(value: str) -> str | None:
    """The `state` in it."""
    found = unpack(value)
    if found is None:
        return None
    try:
        return parse_form(found[1]).get("state")
    except BadForm:
        return None
