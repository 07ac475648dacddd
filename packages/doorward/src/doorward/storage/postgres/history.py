"""Which history of its data does a PostgreSQL server tell? A standby that lacked the last commits begins another one when it becomes the
primary, and gives numbers again that were given to what it has forgotten.

PostgreSQL counts its histories itself: the timeline, which heads the name of every file of its journal. It is read in the very
statement that reads a number, so that it holds behind a pooler too, whose connections outlive a failover.
"""

from __future__ import annotations

from typing import Final

from doorward.core.model.revocation import HISTORY_BITS
from doorward.storage.postgres.errors import state_of
from doorward.storage.postgres.pool import Connection

NONE: Final = "0"
_TIMELINE: Final = "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint"
# the first one adds nothing
_ADDED: Final = f"(({_TIMELINE} - 1) * {1 << HISTORY_BITS})"


async def history_of(connection: Connection) -> str:
    """What `Database.history` is on this server; `NONE` where it has no timelines, or keeps them to itself."""
    try:
        await connection.fetch(f"SELECT {_ADDED}")
    except Exception as problem:
        if state_of(problem) is None:
            raise
        return NONE
    return _ADDED
