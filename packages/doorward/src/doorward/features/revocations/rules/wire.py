"""An entry of the view as the feed carries it, in its two editions (docs/reference/endpoints-token.md, line 98)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from doorward.core.model.revocation import Revocation
from doorward_verify.revocation import Entry, hidden

PLAIN: Final = "plain"
"""The first edition: ids as they stand in tokens. For one release, for verifiers that do not ask for the second."""

SALT_LIFE: Final = 86_400
"""Seconds after which ids are hidden by another salt, so that nobody can follow a name from day to day."""

SALT_CHARS: Final = 22


class RevocationPage(Struct, forbid_unknown_fields=True):
    """An answer of the feed. `cursor` goes into the next request; with `reset` it replaces everything held so far; with `more` the next
    page follows at once; with a `salt` the ids of the entries are hashed with it."""

    cursor: str
    reset: bool
    entries: list[Entry]
    more: bool | UnsetType = UNSET
    salt: str | UnsetType = UNSET


def plain(entry: Revocation) -> bytes:
    """An entry of the first edition."""
    return _encode(entry, entry.ref)


def hiding(salt: str) -> Callable[[Revocation], bytes]:
    """How the second edition writes an entry: its id only as a hash, which who holds the token can make and nobody can undo."""

    def write(entry: Revocation) -> bytes:
        return _encode(entry, hidden(salt, entry.kind, entry.ref))

    return write


def day(now: int) -> int:
    """Which salt it is the time of."""
    return now // SALT_LIFE


def _encode(entry: Revocation, name: str) -> bytes:
    said: dict[str, Any] = {"kind": entry.kind, "id": name, "exp": entry.expires_at}
    if entry.before is not None:
        said["before"] = entry.before
    return msgspec.json.encode(said)
