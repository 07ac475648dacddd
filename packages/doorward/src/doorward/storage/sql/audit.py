"""Audit log: append-only, read from the newest line; the database itself refuses changes. Personal fields stand in a row beside the line."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import Any, ClassVar, Final

import msgspec

from doorward.core.model.audit import AuditEvent
from doorward.core.model.audit_filter import EVERYTHING, AuditFilter
from doorward.core.model.audit_line import NOTHING, Personal, apart, commitment, text_of
from doorward.storage.sql.accounts import AT_ONCE, filled
from doorward.storage.sql.audit_end import End, Kept, first_id
from doorward.storage.sql.noun import SqlNoun
from doorward.storage.sql.rows import found
from doorward.storage.sql.statements import Database, Param, Row, Write, write
from doorward.storage.sql.text import delete, insert, newest_of, one_of, select

_FIRST_COLUMNS = (
    "id, at, kind, ok, account_id, client_id, session_id, grant_id, address, user_agent, request_id, detail"
)
_COLUMNS = f"{_FIRST_COLUMNS}, personal"
_APPEND = insert("audit", _COLUMNS)
_APPEND_UNHASHED = insert("audit", _FIRST_COLUMNS)
_APPEND_PERSONAL = insert("audit_personal", "id, salt, fields")
# One query for each kind, newest first: an index over all kinds would have to be read completely to find the newest
# lines.
_OF_ACCOUNT_AND_KIND = select(
    _COLUMNS, "audit WHERE account_id = ? AND kind = ? AND id < ? AND at >= ? ORDER BY id DESC LIMIT ?"
)
_AFTER_ALL = "b"
"""Greater than every id (`aud_…`)."""

_DELETED = one_of("DISTINCT account_id", "audit", "account_id", AT_ONCE, "AND kind = 'account.deleted'")
_OF_LINES = select("id", "audit WHERE account_id = ?")
ERASE: Final = delete("audit_personal", f"id IN ({_OF_LINES})")
"""Erases the personal fields of all lines of an account."""
_ERASE_BEFORE = delete("audit_personal", f"id IN ({_OF_LINES} AND id < ?)")
_ERASE_OF = delete("audit_personal", f"id IN ({one_of('id', 'audit', 'account_id', AT_ONCE)})")

_detail = msgspec.json.Decoder(dict[str, Any])
_personal = msgspec.json.Decoder(Personal)


def _beside(lines: str) -> str:
    """The columns of a line, and its personal fields from the row beside it. `lines`: the name under which the query knows lines."""
    fields = select("fields", f"audit_personal WHERE audit_personal.id = {lines}.id")
    return f"{_COLUMNS}, ({fields}) AS fields"


def of_kinds(number: int) -> str:
    """SQL for the newest lines of an account, of `number` kinds. Parameters: the values for each kind, then the row
    limit."""
    return newest_of(_OF_ACCOUNT_AND_KIND, number, _beside("newest"), "id")


_WHOLE = _beside("audit")
_GET = select(_WHOLE, "audit WHERE id = ?")


class SqlAudit(SqlNoun):
    """The audit log: appended to at one end, and trimmed at the other by age. `end` removes old lines on this engine,
    those below the id that `kept` gives."""

    no_credentials: ClassVar = {"audit": "what happened", "audit_personal": "what happened"}

    def __init__(self, database: Database, end: End, kept: Kept) -> None:
        self._db = database
        self._end = end
        self._kept = kept
        self._followers: list[Callable[[AuditEvent], Write]] = []

    def follow(self, follower: Callable[[AuditEvent], Write]) -> None:
        """Have the write that `follower` returns join the commit of each line."""
        self._followers.append(follower)

    def append(self, event: AuditEvent, *, salt: bytes = bytes(16)) -> Write:
        """A line. `salt`: 16 random bytes, behind which the personal fields are hashed; only tests leave it out."""
        line = self._line(event, salt)
        joined = [step for follower in self._followers for step in follower(event).steps]
        return Write((*line.steps, *joined)) if joined else line

    def append_unhashed(self, event: AuditEvent) -> Write:
        """A line in the form of older programs, which every schema takes: the sealer hashes its personal fields. For commands that work
        on databases of older schemas."""
        known = (event.account_id, event.client_id, event.session_id, event.grant_id)
        named = (event.address, event.user_agent, event.request_id)
        row = (event.id, event.at, event.kind, int(event.ok), *known, *named)
        return write(_APPEND_UNHASHED, *row, text_of(event.detail))

    def _line(self, event: AuditEvent, salt: bytes) -> Write:
        detail, fields = apart(event)
        hashed = NOTHING if fields is None else commitment(salt, fields)
        known = (event.account_id, event.client_id, event.session_id, event.grant_id)
        row = (event.id, event.at, event.kind, int(event.ok), *known, None, None, event.request_id)
        line = write(_APPEND, *row, detail, hashed)
        if fields is None:
            return line
        return Write((*line.steps, *write(_APPEND_PERSONAL, event.id, salt, fields).steps))

    async def prune(self, now: int, keep: int, limit: int = 500) -> int:
        """Remove a small batch of lines older than `keep` seconds, or a whole month where the log is partitioned by
        month. Returns the number of lines (a month counts as one), 0 when nothing is left to do now."""
        return await self._end(self._db, now, keep, limit)

    async def kept_from(self, now: int, keep: int) -> str:
        """The id below which `prune` with the same values may remove lines."""
        return await self._kept(self._db, now, keep)

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
        return await self.filtered(AuditFilter(kind=kind), before=before, limit=limit)

    async def filtered(
        self, wanted: AuditFilter = EVERYTHING, *, before: str | None = None, limit: int = 100
    ) -> Sequence[AuditEvent]:
        """The lines that the filter lets through, newest first; `before` is the last id of the previous page."""
        condition, params = _where(wanted)
        sql = select(_WHOLE, f"audit WHERE {condition} AND id < ? ORDER BY id DESC LIMIT ?")
        return [_event(row) for row in await self._db.all(sql, (*params, before or _AFTER_ALL, limit))]

    async def following(
        self, wanted: AuditFilter = EVERYTHING, *, after: str = "", limit: int = 1000
    ) -> Sequence[AuditEvent]:
        """The same, oldest first, those with ids after `after`."""
        condition, params = _where(wanted)
        sql = select(_WHOLE, f"audit WHERE {condition} AND id > ? ORDER BY id LIMIT ?")
        return [_event(row) for row in await self._db.all(sql, (*params, after, limit))]

    def erase_before(self, account_id: str, line_id: str) -> Write:
        """Erase the personal fields of the account's lines older than a line."""
        return write(_ERASE_BEFORE, account_id, line_id)

    def erase_of(self, ids: Sequence[str]) -> Write:
        """Erase the personal fields of all lines of these accounts, at most `AT_ONCE`."""
        return write(_ERASE_OF, *filled(ids))


def _where(wanted: AuditFilter) -> tuple[str, tuple[Param, ...]]:
    """The condition and its values. Each member of the filter adds one of these constant conditions."""
    begin = wanted.kind.removesuffix("*") if wanted.kind is not None and wanted.kind.endswith("*") else None
    asked: tuple[tuple[str, Param], ...] = (
        ("account_id = ?", wanted.account_id),
        ("client_id = ?", wanted.client_id),
        ("request_id = ?", wanted.request_id),
        ("kind = ?", wanted.kind if begin is None else None),
        ("kind >= ?", begin),
        ("kind < ?", None if begin is None else begin + "\U0010ffff"),
        ("id >= ?", None if wanted.since is None else first_id(wanted.since)),
        ("id < ?", None if wanted.until is None else first_id(wanted.until)),
    )
    set_ = [(condition, value) for condition, value in asked if value is not None]
    return " AND ".join(["1 = 1", *(one for one, _ in set_)]), tuple(value for _, value in set_)


def _event(row: Row) -> AuditEvent:
    """An event from `_COLUMNS` and the personal fields."""
    line_id, at, kind, ok, account_id, client_id, session_id, grant_id, address, agent, request_id = row[:11]
    detail, hashed, fields = _detail.decode(row[11]), row[12], row[13]
    # in a line of an older program, which was not sealed yet, the personal fields are in the line
    personal = Personal(address=address, user_agent=agent) if fields is None else _personal.decode(fields)
    return AuditEvent(
        id=line_id,
        at=at,
        kind=kind,
        ok=bool(ok),
        account_id=account_id,
        client_id=client_id,
        session_id=session_id,
        grant_id=grant_id,
        address=personal.address,
        user_agent=personal.user_agent,
        request_id=request_id,
        detail=detail | personal.detail,
        place=personal.place,
        network=personal.network,
        erased=bool(hashed) and fields is None,
    )
