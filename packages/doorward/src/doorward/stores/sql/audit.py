"""How is the record kept? Appended to, and read from its newest line; the database itself refuses that a line is changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from doorward.model.audit import AuditEvent
from doorward.stores.sql.audit_end import End
from doorward.stores.sql.statements import Database, Row, SqlWrite, to_json, write
from doorward.stores.sql.text import insert, select

_COLUMNS = (
    "id, at, kind, ok, account_id, client_id, session_id, grant_id, address, user_agent, request_id, detail"
)
_APPEND = insert("audit", _COLUMNS)
_OF_ACCOUNT = select(_COLUMNS, "audit WHERE account_id = ? ORDER BY id DESC LIMIT ?")
_PAGE = select(_COLUMNS, "audit ORDER BY id DESC LIMIT ?")
_PAGE_BEFORE = select(_COLUMNS, "audit WHERE id < ? ORDER BY id DESC LIMIT ?")
_KIND = select(_COLUMNS, "audit WHERE kind = ? ORDER BY id DESC LIMIT ?")
_KIND_BEFORE = select(_COLUMNS, "audit WHERE kind = ? AND id < ? ORDER BY id DESC LIMIT ?")

_detail = msgspec.json.Decoder(dict[str, Any])


class SqlAudit:
    """`ports.store.Audit` in SQL. `end` is how old lines go on this engine."""

    def __init__(self, database: Database, end: End) -> None:
        self._db = database
        self._end = end

    def append(self, event: AuditEvent) -> SqlWrite:
        e = event
        return write(
            _APPEND,
            e.id,
            e.at,
            e.kind,
            int(e.ok),
            e.account_id,
            e.client_id,
            e.session_id,
            e.grant_id,
            e.address,
            e.user_agent,
            e.request_id,
            to_json(e.detail),
        )

    async def let_go(self, now: int, keep: int, limit: int = 500) -> int:
        return await self._end(self._db, now, keep, limit)

    async def of_account(self, account_id: str, *, limit: int = 100) -> Sequence[AuditEvent]:
        return [_event(row) for row in await self._db.all(_OF_ACCOUNT, (account_id, limit))]

    async def page(
        self, *, before: str | None = None, kind: str | None = None, limit: int = 100
    ) -> Sequence[AuditEvent]:
        match kind, before:
            case None, None:
                rows = await self._db.all(_PAGE, (limit,))
            case None, str():
                rows = await self._db.all(_PAGE_BEFORE, (before, limit))
            case str(), None:
                rows = await self._db.all(_KIND, (kind, limit))
            case _:
                rows = await self._db.all(_KIND_BEFORE, (kind, before, limit))
        return [_event(row) for row in rows]


def _event(row: Row) -> AuditEvent:
    return AuditEvent(
        id=row[0],
        at=row[1],
        kind=row[2],
        ok=row[3] == 1,
        account_id=row[4],
        client_id=row[5],
        session_id=row[6],
        grant_id=row[7],
        address=row[8],
        user_agent=row[9],
        request_id=row[10],
        detail=_detail.decode(row[11]),
    )
