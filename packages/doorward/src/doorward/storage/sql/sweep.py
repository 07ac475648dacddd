"""Removal of expired rows, table by table, in small batches, and the end of the grants of deleted apps.

Each noun says which of its rows expire (`noun.py`); `audit_end.py` handles the audit log.
"""

from __future__ import annotations

from collections.abc import Sequence

from doorward.storage.sql.noun import Expiring
from doorward.storage.sql.statements import Database
from doorward.storage.sql.text import MOST, oldest

# When an app is deleted, at most this many of its grants end in one commit; this bounds how long other commits wait.
SWEEP_ENDS = MOST
_OPEN = oldest("grants", "id", "id", "client_id = ? AND ended_at IS NULL")
END_OF_CLIENT = f"UPDATE grants SET ended_at = ?, end_reason = ? WHERE id IN ({_OPEN})"  # noqa: S608 - names from here
_DEPARTED = "SELECT client_id, at, reason FROM departed_clients ORDER BY client_id LIMIT 1"
_GONE = "DELETE FROM departed_clients WHERE client_id = ?"


async def _end_departed(database: Database, limit: int) -> int:
    """End a batch of the grants of deleted apps; returns how many rows changed."""
    departed = await database.one(_DEPARTED, ())
    if departed is None:
        return 0
    client_id, at, reason = departed
    ended = await database.apply(((END_OF_CLIENT, (at, reason, client_id, min(limit, SWEEP_ENDS)), None),))
    return ended or await database.apply(((_GONE, (client_id,), None),))


async def sweep(database: Database, expiring: Sequence[Expiring], now: int, limit: int) -> int:
    """Remove at most `limit` rows that are expired at `now` (seconds), those of the first table first, and end the grants of deleted
    apps; returns how many rows.

    Reads before it writes, so that an idle server takes no lock.
    """
    gone = await _end_departed(database, limit)
    for one in expiring:
        if gone >= limit:
            break
        if await database.one(one.look, (now - one.keep,)) is not None:
            gone += await database.apply(((one.remove, (now - one.keep, limit - gone), None),))
    return gone
