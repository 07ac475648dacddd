"""Form in which a line of the audit log is stored and chained: its personal fields apart, and the hashes that bind all parts.

A chained line holds no personal field, only the SHA-256 of the personal fields behind a random salt. Whoever erases salt and fields leaves
a hash from which nothing can be guessed, and the chain still verifies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from doorward.core.model.audit import AuditEvent
from doorward.core.model.place import NetworkKind, Place

PERSONAL_MEMBERS: Final = frozenset(
    {
        "address",
        "before",
        "country",
        "device_address",
        "device_user_agent",
        "here",
        "name",
        "one",
        "other",
        "subject",
    }
)
"""Members of `detail` that tell who or where somebody is."""
OPERATORS: Final = frozenset({"reason"})
"""Members that are personal where an operator wrote them: free text. Elsewhere `reason` is a code."""
NOTHING: Final = ""
"""The column `personal` of a line without personal fields; NULL is the form of older programs, which stored them in the line."""
FIRST: Final[bytes] = bytes(32)
"""What the first line of a chain is linked to."""

_encode: Final = msgspec.json.Encoder(order="deterministic").encode


class Personal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The personal fields of a line; they are stored in a row beside it."""

    address: str | None = None
    user_agent: str | None = None
    place: Place | None = None
    network: NetworkKind | None = None
    detail: dict[str, Any] = {}


class ChainedLine(Struct, frozen=True, array_like=True):
    """What the chain proves of a line, in the order in which it is hashed. `detail` is the stored JSON text, `personal` the hash of the
    personal fields in hex, None only in the form of older programs, which is never chained."""

    id: str
    at: int
    kind: str
    ok: int
    account_id: str | None
    client_id: str | None
    session_id: str | None
    grant_id: str | None
    request_id: str | None
    detail: str
    personal: str | None


def text_of(value: object) -> str:
    """JSON text, the same for equal values."""
    return _encode(value).decode()


def split(detail: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The members of `detail` that stay in the line, and the personal ones."""
    personal = PERSONAL_MEMBERS | OPERATORS if detail.get("by") == "operator" else PERSONAL_MEMBERS
    return (
        {key: value for key, value in detail.items() if key not in personal},
        {key: value for key, value in detail.items() if key in personal},
    )


def apart(event: AuditEvent) -> tuple[str, str | None]:
    """The stored `detail` of an event, and its personal fields as JSON text; None if it has none."""
    plain, own = split(event.detail)
    personal = Personal(
        address=event.address or None,
        user_agent=event.user_agent or None,
        place=event.place,
        network=event.network,
        detail=own,
    )
    return text_of(plain), None if personal == Personal() else text_of(personal)


def commitment(salt: bytes, fields: str) -> str:
    """The hash that stands in the line for its personal fields, in hex. With a random salt of 128 bits it can be checked, and after the salt
    is erased nobody can find the fields by trying."""
    return hashlib.sha256(len(salt).to_bytes(2, "big") + salt + fields.encode()).hexdigest()


def digest(line: ChainedLine) -> bytes:
    """SHA-256 of the line's canonical form: a JSON array without spaces (RFC 8259), UTF-8."""
    return hashlib.sha256(b"doorward audit line\n" + _encode(line)).digest()


def link(previous: bytes, seq: int, line_id: str, of_line: bytes) -> bytes:
    """The chain's hash at position `seq`: SHA-256 over the previous hash, the position, the line's digest and its id."""
    return hashlib.sha256(previous + seq.to_bytes(8, "big") + of_line + line_id.encode()).digest()
