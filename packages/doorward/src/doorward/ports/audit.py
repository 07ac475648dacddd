"""The audit record, as actions write and read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from doorward.model.audit import AuditEvent
from doorward.ports.write import Write


class Audit(Protocol):
    """The record: appended to at one end, and let go at the other when it is old enough."""

    def append(self, event: AuditEvent) -> Write: ...
    async def let_go(self, now: int, keep: int, limit: int = 500) -> int:
        """Remove a small batch of what is older than `keep` seconds, or a whole month of it where the record lies in months; answers
        how many lines (a month is one), 0 when nothing is left to do now."""
        ...

    async def of_account(self, account_id: str, *, limit: int = 100) -> Sequence[AuditEvent]:
        """Newest first."""
        ...

    async def page(
        self, *, before: str | None = None, kind: str | None = None, limit: int = 100
    ) -> Sequence[AuditEvent]:
        """Newest first; `before` is the last id of the page before."""
        ...
