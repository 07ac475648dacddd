"""Audit log: append-only, read from the newest line; the database itself refuses changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import Any, ClassVar

import msgspec

from doorward.core.model.audit import AuditEvent
from doorward.storage.sql.accounts import AT_ONCE, filled
from doorward.storage.sql.audit_end import End
from doorward.storage.sql.noun import SqlNoun
from doorward.storage.sql.rows import found, from_row, to_row
from doorward.storage.sql.statements import Database, Row, Write, to_json, write
from doorward.storage.sql.text import insert, newest_of, one_of, select

_COLUMNS = (
    "id, at, kind, ok, account_id, client_id, session_id, grant_id, address, user_agent, request_id, detail"
)
_APPEND = insert("audit", _COLUMNS)
_GET = select(_COLUMNS, "audit WHERE id = ?")
# One query for each kind, newest first: an index over all kinds would have to be read completely to find the newest
# lines.
_OF_ACCOUNT_AND_KIND = select(
    _COLUMNS, "audit WHERE account_id = ? AND kind = ? AND id < ? AND at >= ? ORDER BY id DESC LIMIT ?"
)
_AFTER_ALL = "b"
"""Greater than every id (`aud_…`)."""
_PAGE = select(_COLUMNS, "audit WHERE id < ? ORDER BY id DESC LIMIT ?")
_PAGE_OF_KIND = select(_COLUMNS, "audit WHERE kind = ? AND id < ? ORDER BY id DESC LIMIT ?")

_DELETED = one_of("DISTINCT account_id", "audit", "account_id", AT_ONCE, "AND kind = 'account.deleted'")

_detail = msgspec.json.Decoder(dict[str, Any])


def of_kinds(number: int) -> str:
    """SQL for the newest lines of an account, of `number` kinds. Parameters: the values for each kind, then the row
    limit."""
    return newest_of(_OF_ACCOUNT_AND_KIND, number, _COLUMNS, "id")


class SqlAudit(SqlNoun):
    """The audit log: appended to at one end, and trimmed at the other by age. `end` removes old lines on this engine."""

    no_credentials: ClassVar = {"audit": "what happened"}

    def __init__(self, database: Database, end: End) -> None:
        self._db = database
        self._end = end
        self._followers: list[Callable[[AuditEvent], Write]] = []

    def follow(self, follower: Callable[[AuditEvent], Write]) -> None:
        """Have the write that `follower` returns join the commit of each line."""
        self._followers.append(follower)

    def append(self, event: AuditEvent) -> Write:
        line = self._line(event)
        joined = [step for follower in self._followers for step in follower(event).steps]
        return Write((*line.steps, *joined)) if joined else line

    def _line(self, event: AuditEvent) -> Write:
        return write(_APPEND, *to_row(event, ok=int(event.ok), detail=to_json(event.detail)))

    async def prune(self, now: int, keep: int, limit: int = 500) -> int:
        """Remove a small batch of lines older than `keep` seconds, or a whole month where the log is partitioned by
        month. Returns the number of lines (a month counts as one), 0 when nothing is left to do now."""
        return await self._end(self._db, now, keep, limit)

    async def get(self, event_id: str) -> AuditEvent | None:
        return await found(self._db, _GET, (event_id,), _event)

    async def of_account(
        self,
        account_id: str,
        kinds: Sequence[str],
        *,
        since: int = 0,
        before: str | None = None,
        limit: int = 100,
    ) -> Sequence[AuditEvent]:
        """Lines of these kinds since `since` (seconds), newest first; `before` is the last id of the previous page.
        Lines of other kinds are not read."""
        if not kinds:
            return []
        of_each = [(account_id, kind, before or _AFTER_ALL, since, limit) for kind in kinds]
        params = [value for one in of_each for value in one]
        return [_event(row) for row in await self._db.all(of_kinds(len(kinds)), (*params, limit))]

    async def deleted_accounts(self, ids: Sequence[str]) -> Set[str]:
        """Those of the ids, at most `AT_ONCE`, whose accounts were deleted: tokens and lines of theirs may still be
        there."""
        return {row[0] for row in await self._db.all(_DELETED, filled(ids))} if ids else frozenset()

    async def page(
        self, *, before: str | None = None, kind: str | None = None, limit: int = 100
    ) -> Sequence[AuditEvent]:
        """Newest first; `before` is the last id of the previous page."""
        end = before or _AFTER_ALL
        if kind is None:
            rows = await self._db.all(_PAGE, (end, limit))
        else:
            rows = await self._db.all(_PAGE_OF_KIND, (kind, end, limit))
        return [_event(row) for row in rows]


def _event(row: Row) -> AuditEvent:
    return from_row(AuditEvent, row, ok=bool, detail=_detail.decode)
