"""Revocation entries for tokens with a valid signature, used by introspection, userinfo and every API."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

HISTORY_BITS: Final = 40
"""Position of the database history in a number that grows in commit order: more than a million million changes fit
below it."""

RevocationKind = Literal["jti", "grant", "sid", "sub", "client"]


class Revocation(Struct, frozen=True):
    """`kind` and `ref` say what was revoked; for sub and client, tokens with iat <= `before`. After `expires_at` no
    affected token is alive, and the entry may be deleted. The store sets `seq`, in commit order.

    `audience`: every affected token is for this one API, so that others need not hear of the entry; None: for any.
    """

    kind: RevocationKind
    ref: str
    at: int
    expires_at: int
    before: int | None = None
    seq: int = 0
    audience: str | None = None


def same_history(one: int, other: int) -> bool:
    """Whether both numbers come from one history of the database. After a failover to a standby that lacked the last
    commits there is a new history, which issues the same numbers again."""
    return one >> HISTORY_BITS == other >> HISTORY_BITS


def beside(newest: int, place: int) -> int:
    """The number of an entry at `place`, in the history of `newest`."""
    return newest >> HISTORY_BITS << HISTORY_BITS | place
