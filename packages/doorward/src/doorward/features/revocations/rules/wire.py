"""Format of an entry in the two editions of the feed (docs/reference/endpoints-token.md, R98)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from doorward.core.model.revocation import Revocation
from doorward_verify.revocation import Entry, hidden

PLAIN: Final = "plain"
"""The first edition: ids as in the tokens. For one release, for verifiers that do not request the second."""

SALT_LIFE: Final = 86_400
"""Seconds after which ids are hidden by another salt, so that a name cannot be tracked from day to day."""

SALT_CHARS: Final = 22


class RevocationPage(Struct, forbid_unknown_fields=True):
    """An answer of the feed. `cursor` goes into the next request; with `reset` it replaces everything held so far; with `more` the next
    page follows at once; with a `salt` the ids of the entries are hashed with it. `snapshots` are addresses of files with which the view
    begins."""

    cursor: str
    reset: bool
    entries: list[Entry]
    more: bool | UnsetType = UNSET
    salt: str | UnsetType = UNSET
    snapshots: list[str] | UnsetType = UNSET


def plain(entry: Revocation) -> bytes:
    """An entry of the first edition."""
    return _encode(entry, entry.ref)


def hiding(salt: str) -> Callable[[Revocation], bytes]:
    """The writer of the second edition: ids are hashed, which a holder of the token can compute and nobody can reverse."""

    def write(entry: Revocation) -> bytes:
        return _encode(entry, hidden(salt, entry.kind, entry.ref))

    return write


def day(now: int) -> int:
    """The number of the day, which selects the salt."""
    return now // SALT_LIFE


def _encode(entry: Revocation, name: str) -> bytes:
    said: dict[str, Any] = {"kind": entry.kind, "id": name, "exp": entry.expires_at}
    if entry.before is not None:
        said["before"] = entry.before
    return msgspec.json.encode(said)
