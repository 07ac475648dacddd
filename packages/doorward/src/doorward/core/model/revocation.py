"""What no longer holds, although its signature still does: the entries that introspection, userinfo and every API consult."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

HISTORY_BITS: Final = 40
"""Where in a number that grows in commit order the history of the database stands: more than a million million changes below it."""

RevocationKind = Literal["jti", "grant", "sid", "sub", "client"]


class Revocation(Struct, frozen=True):
    """`kind` and `ref` say what ended; for sub and client, tokens with iat <= `before`. After `expires_at` no token that it
    could concern is alive, and the entry may go. `seq` is set by the store, in commit order."""

    kind: RevocationKind
    ref: str
    at: int
    expires_at: int
    before: int | None = None
    seq: int = 0


def same_history(one: int, other: int) -> bool:
    """Whether two such numbers were given by one history of the database. After a failover to a standby that lacked the last
    commits there is another one, which gives the same numbers to other things."""
    return one >> HISTORY_BITS == other >> HISTORY_BITS


def beside(newest: int, place: int) -> int:
    """The number of an entry at `place`, in the history that `newest` is of."""
    return newest >> HISTORY_BITS << HISTORY_BITS | place
