"""Chain of the audit log: its places, the lines at them, and signed heads."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.audit_line import ChainedLine


class ChainLink(Struct, frozen=True, array_like=True):
    """One place of the chain."""

    seq: int
    id: str
    digest: bytes
    hash: bytes


class StoredLine(Struct, frozen=True, kw_only=True):
    """A line as it is stored. `line.personal` is None in the form of older programs; then `address` and `user_agent` are in the line."""

    line: ChainedLine
    address: str | None
    user_agent: str | None


class SealedLine(Struct, frozen=True, kw_only=True):
    """A place of the chain with what is stored of its line; None where it is missing."""

    link: ChainLink
    line: ChainedLine | None
    salt: bytes | None
    fields: str | None


class SignedHead(Struct, frozen=True, array_like=True):
    """A signed statement about the chain up to `seq`, made at `at` (seconds)."""

    seq: int
    at: int
    jws: str
