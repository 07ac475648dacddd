"""Values that may be used only once, claimed by one statement each."""

from __future__ import annotations

from typing import ClassVar

from doorward.storage.sql.noun import Expiring, SqlNoun
from doorward.storage.sql.statements import Write, guarded
from doorward.storage.sql.text import insert

_CLAIM = insert(
    "claimed",
    "space, value, expires_at",
    "ON CONFLICT (space, value) DO UPDATE SET expires_at = excluded.expires_at WHERE claimed.expires_at <= ?",
)


class SqlReplayCache(SqlNoun):
    """Single use of identifiers, for as long as they are accepted."""

    no_credentials: ClassVar = {"claimed": "what was used once, by digest"}
    # a process with a faster clock may take a claim for expired while it is still valid for another
    expiring: ClassVar = (Expiring(table="claimed", key="space, value", keep=600),)

    def claim(self, space: str, value: str, expires_at: int, *, now: int = 0) -> Write:
        """Guarded: loses when (space, value) was claimed and has not expired at `now` (assertion jti: RFC 7523 §3).
        Without `now` a claim is valid until it is swept."""
        return guarded(_CLAIM, space, value, expires_at, now)
