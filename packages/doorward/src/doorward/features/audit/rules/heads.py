"""Claims of a signed head: what the server says of the chain of its audit log at one moment (a JWS, RFC 7515)."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from doorward.core.model.audit_chain import ChainLink

TYP: Final = "doorward-audit-head+jwt"
"""A type of its own (RFC 8725 §3.11): no other token of the server passes for a head, and no head for a token."""


class Base(Struct, frozen=True, kw_only=True):
    """Where the chain begins after old lines were removed: the place before its first one, and the id below which lines may have gone."""

    seq: int = 0
    hash: str = ""
    before: str = ""


class HeadClaims(Struct, frozen=True, kw_only=True):
    """`iss` is the issuer, which is the name of the instance; `iat` seconds since the epoch; `hash` that of the chain at place `seq`, in
    hex."""

    iss: str
    iat: int
    seq: int
    hash: str
    base: Base


def claims(issuer: str, now: int, last: ChainLink, base: Base) -> dict[str, Any]:
    """The claims for the newest place of the chain."""
    return msgspec.to_builtins(HeadClaims(iss=issuer, iat=now, seq=last.seq, hash=last.hash.hex(), base=base))


def is_due(now: int, last: ChainLink | None, signed_seq: int, signed_at: int, every: int) -> bool:
    """Whether the chain has grown since the last head, and that is `every` seconds old, or from the future."""
    return last is not None and last.seq > signed_seq and not 0 <= now - signed_at < every
