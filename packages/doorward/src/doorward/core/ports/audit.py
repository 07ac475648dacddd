"""The audit record, as actions write and read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from doorward.core.model.audit import AuditEvent
from doorward.core.ports.write import Write


class Audit(Protocol):
    """The record: appended to at one end, and let go at the other when it is old enough."""

    def append(self, event: AuditEvent) -> Write: ...
    async def let_go(self, now: int, keep: int, limit: int = 500) -> int:
        """Remove a small batch of what is older than `keep` seconds, or a whole month of it where the record lies in months; answers
        how many lines (a month is one), 0 when nothing is left to do now."""
        ...

    async def get(self, event_id: str) -> AuditEvent | None: ...
    async def of_account(
        self,
        account_id: str,
        kinds: Sequence[str],
        *,
        since: int = 0,
        before: str | None = None,
        limit: int = 100,
    ) -> Sequence[AuditEvent]:
        """Lines of these kinds from `since` (seconds) on, newest first; `before` is the last id of the page before. Lines of other
        kinds are not read, however many there are."""
        ...

    async def page(
        self, *, before: str | None = None, kind: str | None = None, limit: int = 100
    ) -> Sequence[AuditEvent]:
        """Newest first; `before` is the last id of the page before."""
        ...
