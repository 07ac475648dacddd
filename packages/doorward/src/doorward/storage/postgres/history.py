"""Data history of a PostgreSQL server, so that numbers issued before a failover are never issued again.

A standby that lacked the last commits begins another history when it becomes the primary, and would issue numbers again
that were issued for lost commits. PostgreSQL counts its histories: the timeline, the first part of every WAL file name.
It is read in the same statement that reads a number, so that this works behind a pooler too, whose connections outlive
a failover.
"""

from __future__ import annotations

from typing import Final

from doorward.core.model.revocation import HISTORY_BITS
from doorward.storage.postgres.errors import state_of
from doorward.storage.postgres.pool import Connection

NONE: Final = "0"
_TIMELINE: Final = "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint"
# the first timeline adds nothing
_ADDED: Final = f"(({_TIMELINE} - 1) * {1 << HISTORY_BITS})"


async def history_of(connection: Connection) -> str:
    """`Database.history` for this server; `NONE` if it has no timelines, or does not show them."""
    try:
        await connection.fetch(f"SELECT {_ADDED}")
    except Exception as problem:
        if state_of(problem) is None:
            raise
        return NONE
    return _ADDED
