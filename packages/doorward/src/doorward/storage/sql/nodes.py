"""Processes that answer from memory, and the configuration version that each has loaded.

The row of a suspect is renamed: its process does not find it and registers again, while changes continue to wait for the row.
Older programs, which do not know suspects, do the same when their row is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from doorward.storage.sql.database_state import why_not
from doorward.storage.sql.noun import SqlNoun
from doorward.storage.sql.statements import Database, Write, told_by, write
from doorward.storage.sql.text import insert

_LOOK = (
    "SELECT counters.value + 0, nodes.seen, meta.value FROM counters LEFT JOIN nodes ON nodes.id = ?"
    " LEFT JOIN meta ON meta.name = 'moved' WHERE counters.name = 'registry'"
)
_SAW = insert(
    "nodes",
    "id, seen, expires_at, program",
    "ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, expires_at = excluded.expires_at, program = excluded.program",
)
# when a suspect reports again, the commit that registers it also deletes its renamed rows
_SPEAKS = "DELETE FROM nodes WHERE id LIKE ?"
_LEAVE = "DELETE FROM nodes WHERE id = ?"
_BEHIND = "SELECT COUNT(*) FROM nodes WHERE seen < ?"
_OLDER = "SELECT COUNT(*) FROM nodes WHERE COALESCE(program, 0) < ?"
_MARK_SUSPECT = (
    "UPDATE nodes SET id = CAST(? AS TEXT) || id"
    " WHERE (seen < ? OR expires_at < ? OR expires_at > ?) AND id NOT LIKE 'doubted %'"
)
_NEWEST = "SELECT MAX(expires_at) FROM nodes WHERE id NOT LIKE 'doubted %'"
_SUSPECTS = "SELECT id FROM nodes WHERE id LIKE 'doubted %' ORDER BY id"


class SqlNodes(SqlNoun):
    """Processes that answer from a configuration snapshot, and the version that each has loaded. `program`: the schema
    version that this program knows."""

    no_credentials: ClassVar = {"nodes": "processes of this server"}

    def __init__(self, database: Database, *, program: int) -> None:
        self._db = database
        self._program = program
        self._look = told_by(database.history, _LOOK)

    async def look(self, node_id: str) -> tuple[int, int | None]:
        """(the registry's version, the version that this node has recorded), in one read; None: it is not registered."""
        row = await self._db.one(self._look, (node_id,))
        if row is None:
            return 0, None
        if row[2] is not None and (refused := why_not({"moved": row[2]})) is not None:
            raise refused
        return row[0], row[1]

    async def behind(self, version: int) -> int:
        """How many have not loaded `version` yet, suspects included."""
        row = await self._db.one(_BEHIND, (version,))
        return row[0] if row else 0

    async def older(self) -> int:
        """How many processes are of a program that knows an older schema than this one, suspects included."""
        row = await self._db.one(_OLDER, (self._program,))
        return row[0] if row else 0

    async def suspects(self) -> Sequence[str]:
        """The names of the renamed rows; `leave` deletes one."""
        return [row[0] for row in await self._db.all(_SUSPECTS, ())]

    def acknowledge(self, node_id: str, version: int, expires_at: int) -> Write:
        """Record that this node is alive and has loaded `version`; without another report it becomes a suspect some time after
        `expires_at`. Deletes every renamed row of it."""
        return Write(
            (
                (_SAW, (node_id, version, expires_at, self._program), None),
                (_SPEAKS, (f"doubted % {node_id}",), None),
            )
        )

    async def heard_of_by(self) -> int | None:
        """The latest time by which any node must report (seconds, by that node's clock); None when there is none."""
        row = await self._db.one(_NEWEST, ())
        return row[0] if row else None

    def mark_suspect(self, mark: str, *, behind: int, silent_at: int, not_before: int) -> Write:
        """Mark all that have not loaded the version `behind`, that had to report before `silent_at` (seconds), or that
        need not report before `not_before`. A live one finds at its next look that it is not registered, and registers
        again. `mark` is random for each call."""
        return write(_MARK_SUSPECT, f"doubted {mark} ", behind, silent_at, not_before)

    def leave(self, node_id: str) -> Write:
        return write(_LEAVE, node_id)
