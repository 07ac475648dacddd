"""Which processes answer from memory, and what has each of them seen?"""

from __future__ import annotations

from doorward.stores.sql.standing import why_not
from doorward.stores.sql.statements import Database, SqlWrite, write
from doorward.stores.sql.text import insert

_LOOK = (
    "SELECT counters.value, nodes.seen, meta.value FROM counters LEFT JOIN nodes ON nodes.id = ?"
    " LEFT JOIN meta ON meta.name = 'moved' WHERE counters.name = 'registry'"
)
_SAW = insert(
    "nodes",
    "id, seen, expires_at",
    "ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, expires_at = excluded.expires_at",
)
_LEAVE = "DELETE FROM nodes WHERE id = ?"
_BEHIND = "SELECT COUNT(*) FROM nodes WHERE seen < ?"


class SqlNodes:
    """`ports.store.Nodes` in SQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def look(self, node_id: str) -> tuple[int, int | None]:
        row = await self._db.one(_LOOK, (node_id,))
        if row is None:
            return 0, None
        if row[2] is not None and (refused := why_not({"moved": row[2]})) is not None:
            raise refused
        return row[0], row[1]

    async def behind(self, version: int) -> int:
        row = await self._db.one(_BEHIND, (version,))
        return row[0] if row else 0

    def saw(self, node_id: str, version: int, expires_at: int) -> SqlWrite:
        return write(_SAW, node_id, version, expires_at)

    def leave(self, node_id: str) -> SqlWrite:
        return write(_LEAVE, node_id)
