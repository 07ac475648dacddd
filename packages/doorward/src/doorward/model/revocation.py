"""What no longer holds, although its signature still does: the entries that introspection, userinfo and every API consult."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

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
