"""Refresh token format: its grant, its place in the chain, and two secrets (RFC 6749 §1.5: opaque to the app).

    dw_rt_ | grant id without its prefix | place, 8 hex digits | family secret, 22 characters | secret, 43 characters

The grant's id finds the single row of a grant. The family secret is the same in all tokens of a grant and proves that a token was
issued for it, however long ago: a replay is recognised although no spent token is stored, and nobody who only knows a grant's id
(it is the start of every jti) can end the grant with an invented token. The last secret is new in every token.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.core.model.digest import digest

PREFIX: Final = "dw_rt_"
FAMILY_BYTES: Final = 16
"""Random bytes in a family secret."""
SECRET_BYTES: Final = 32
"""Random bytes in the secret of one token."""

_GRANT: Final = "grt_"
_SECRET = 43
_FAMILY = 22
_PLACE = 8
_TAIL = _PLACE + _FAMILY + _SECRET
_LONGEST = 200
_HEX = frozenset("0123456789abcdef")


class PresentedRefreshToken(Struct, frozen=True):
    """A refresh token as received, not verified yet: hashes only, so that it may be logged or compared."""

    grant_id: str
    generation: int
    family_hash: bytes
    hash: bytes


def first(grant_id: str, family: str, secret: str) -> str:
    """The first token of a grant, from `FAMILY_BYTES` and `SECRET_BYTES` random bytes in base64url."""
    return f"{PREFIX}{grant_id.removeprefix(_GRANT)}{1:08x}{family}{secret}"


def following(parent: str, secret: str) -> str:
    """The token after `parent`, which `read` has accepted."""
    place = int(parent[-_TAIL : -_TAIL + _PLACE], 16) + 1
    return f"{parent[:-_TAIL]}{place:08x}{parent[-_FAMILY - _SECRET : -_SECRET]}{secret}"


def read(raw: str) -> PresentedRefreshToken | None:
    """The parts of the token; None for another format."""
    if not raw.startswith(PREFIX) or not len(PREFIX) + _TAIL < len(raw) <= _LONGEST or not raw.isascii():
        return None
    place = raw[-_TAIL : -_TAIL + _PLACE]
    if not _HEX.issuperset(place):
        return None
    return PresentedRefreshToken(
        grant_id=_GRANT + raw[len(PREFIX) : -_TAIL],
        generation=int(place, 16),
        family_hash=digest(raw[-_FAMILY - _SECRET : -_SECRET]),
        hash=digest(raw),
    )


def family_hash(raw: str) -> bytes:
    """The hash of the family secret, as stored in the grant's row."""
    return digest(raw[-_FAMILY - _SECRET : -_SECRET])
