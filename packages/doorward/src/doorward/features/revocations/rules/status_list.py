"""Status list of grants: one bit each, compressed, signed (Token Status List, draft-ietf-oauth-status-list §4, §5.1, R57)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any, Final

from doorward.features.revocations.rules.status_index import SIZE, SPILL, WEEK
from doorward_verify.encoding import b64url_encode

TYP: Final = "statuslist+jwt"
MOST_SPILLED: Final = 1000
"""More lists in one week would mean a billion grants."""


def may_exist(number: int, *, longest: int, now: int) -> bool:
    """Whether a grant of that list may still be live; `longest` is the longest life of a grant in seconds. Other numbers are not
    served, because each would cost a signature on request."""
    spilled, week = divmod(number, SPILL)
    return spilled <= MOST_SPILLED and (now - longest) // WEEK - 1 <= week <= now // WEEK


def claims(ended: Iterable[int], *, uri: str, now: int, ttl: int, size: int = SIZE) -> dict[str, Any]:
    """The payload of the list's token. `ended` are the positions of ended grants (1: invalid), `uri` is its own URL, also in `sub`;
    `ttl` in seconds is how long a verifier may cache it, and after twice that time it expires."""
    bits = bytearray(size // 8)
    for index in ended:
        # Positions are counted from the least significant bit of each byte (§4.1).
        bits[index >> 3] |= 1 << (index & 7)
    packed = b64url_encode(zlib.compress(bytes(bits), 9))
    return {
        "sub": uri,
        "iat": now,
        "exp": now + 2 * ttl,
        "ttl": ttl,
        "status_list": {"bits": 1, "lst": packed},
    }
