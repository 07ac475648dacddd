"""The entries of the revocation view, numbered in commit order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from doorward.core.model.revocation import Revocation
from doorward.core.ports.write import Write


class Revocations(Protocol):
    """The revocation view."""

    async def live(self, now: int) -> tuple[int, Sequence[Revocation]]:
        """The newest seq, and every entry that has not expired."""
        ...

    async def since(self, seq: int, now: int, limit: int | None = None) -> tuple[int, Sequence[Revocation]]:
        """The newest seq, and the entries after `seq`, at most the first `limit` of them; of no use when the two are not of one
        history (`same_history`)."""
        ...

    async def newest(self) -> int: ...
    def insert(self, revocation: Revocation) -> Write: ...
    def insert_few(self, revocation: Revocation, *, holder: str, most: int, now: int) -> Write:
        """An entry for a single token of `holder`, a grant or an app. Guarded: loses when `most` such entries of the holder have not
        expired at `now`, so that of many at once exactly as many are kept as the limit says."""
        ...

    def insert_later(self, revocation: Revocation, *, now: int) -> Write:
        """An entry with `before`, which takes the place of earlier ones of that `ref` made by this method. Guarded: loses when one
        is there that reaches as far."""
        ...
