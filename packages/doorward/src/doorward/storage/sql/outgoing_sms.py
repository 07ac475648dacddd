"""Outgoing text messages in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from doorward.core.model.text_message import CountrySms, OutgoingSms
from doorward.storage.sql.noun import DAY, Expiring, SqlNoun
from doorward.storage.sql.rows import from_row, to_row
from doorward.storage.sql.statements import MOST_LEFT_OUT, Database, Write, guarded, left_out, write
from doorward.storage.sql.text import insert, select, update

_COLUMNS = (
    "id, kind, account_id, code_id, country, sealed, created_at, next_try_at, tries, sent_at, failed_at,"
    " gateway_id, problem"
)
_DUE = select(
    _COLUMNS,
    "outgoing_sms WHERE sent_at IS NULL AND failed_at IS NULL AND next_try_at <= ?"
    f"{' AND country <> ?' * MOST_LEFT_OUT} ORDER BY next_try_at, id LIMIT ?",
)
_RECENT = select(_COLUMNS, "outgoing_sms ORDER BY created_at DESC, id DESC LIMIT ?")
_GET = select(_COLUMNS, "outgoing_sms WHERE id = ?")
_BY_GATEWAY = select(_COLUMNS, "outgoing_sms WHERE gateway_id = ?")
_INSERT = insert("outgoing_sms", _COLUMNS)
_REPLACE = update(
    "outgoing_sms",
    "next_try_at = ?, tries = ?, sent_at = ?, failed_at = ?, gateway_id = ?, problem = ?",
    "id = ? AND next_try_at = ? AND tries = ? AND sent_at IS NULL AND failed_at IS NULL",
)
_FAILED = update("outgoing_sms", "failed_at = ?, problem = ?", "id = ? AND failed_at IS NULL")
_BY_COUNTRY = select(
    "country, COUNT(*), SUM(CASE WHEN failed_at IS NULL OR problem IS NULL THEN 0 ELSE 1 END)",
    "outgoing_sms WHERE created_at > ? GROUP BY country ORDER BY country",
)


class SqlOutgoingSms(SqlNoun):
    """The outbox of text messages."""

    no_credentials: ClassVar = {"outgoing_sms": "messages, sealed; the codes in them are of sent_codes"}
    # codes live for at most ten minutes; the rows of messages hold them
    expiring: ClassVar = (Expiring(table="outgoing_sms", age="created_at", keep=DAY),)
    with_account: ClassVar = ("outgoing_sms",)

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, message_id: str) -> OutgoingSms | None:
        row = await self._db.one(_GET, (message_id,))
        return None if row is None else from_row(OutgoingSms, row)

    async def by_gateway(self, gateway_id: str) -> OutgoingSms | None:
        row = await self._db.one(_BY_GATEWAY, (gateway_id,))
        return None if row is None else from_row(OutgoingSms, row)

    async def due(self, now: int, limit: int = 20, *, but: Collection[str] = ()) -> Sequence[OutgoingSms]:
        """Longest due first, without those to the countries in `but`, at most `MOST_LEFT_OUT`."""
        rows = await self._db.all(_DUE, (now, *left_out(but), limit))
        return [from_row(OutgoingSms, row) for row in rows]

    async def recent(self, limit: int = 50) -> Sequence[OutgoingSms]:
        return [from_row(OutgoingSms, row) for row in await self._db.all(_RECENT, (limit,))]

    async def by_country(self, since: int) -> Sequence[CountrySms]:
        """For each country, the messages written after `since`."""
        rows = await self._db.all(_BY_COUNTRY, (since,))
        return [CountrySms(country=row[0], written=int(row[1]), failed=int(row[2])) for row in rows]

    def insert(self, message: OutgoingSms) -> Write:
        return write(_INSERT, *to_row(message))

    def replace(self, old: OutgoingSms, new: OutgoingSms) -> Write:
        """Guarded by `next_try_at`, so that only one of two workers takes it."""
        return guarded(
            _REPLACE,
            new.next_try_at,
            new.tries,
            new.sent_at,
            new.failed_at,
            new.gateway_id,
            new.problem,
            old.id,
            old.next_try_at,
            old.tries,
        )

    def failed(self, message: OutgoingSms, problem: str, now: int) -> Write:
        """The gateway's report that an accepted message did not arrive. Guarded: a repeated report changes nothing."""
        return guarded(_FAILED, now, problem, message.id)
