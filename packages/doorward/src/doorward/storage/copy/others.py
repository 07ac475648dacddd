"""Check that no other process uses a PostgreSQL database to be replaced, under any role or behind a pooler.

Connections are recognised by the application name that every Doorward sets. A pooler keeps connections open, so behind
one the servers are asked: a server whose row in `nodes` is marked as suspect registers again at its next look, within
half a second (`cluster/node_registry.py`).
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from doorward.storage.copy.side import Side
from doorward.storage.copy.tables import CopyRefused

_FIX: Final = "Stop every server (and its pooler) on that database first."
_CONNECTED: Final = (
    "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    # a monitoring tool that connects with a role of its own does no harm
    " AND (application_name = 'doorward' OR (backend_type = 'client backend' AND usename = session_user))"
)
_MARK_SUSPECT: Final = (
    "UPDATE nodes SET id = 'doubted ' || md5(random()::text) || ' ' || id WHERE id NOT LIKE 'doubted %'"
)
_KNOWN: Final = "SELECT COUNT(*) FROM nodes WHERE id NOT LIKE 'doubted %'"
_PATIENCE: Final = 2.0
"""Seconds. A server looks every half second; one that fails to do so for this long does not answer from memory either.
"""


async def nobody_connected(side: Side) -> None:
    """Raises `CopyRefused` when another process is connected."""
    if (others := (await side.rows(_CONNECTED))[0][0]) > 0:
        raise CopyRefused(f"{others} others are connected to {side.place}.", _FIX)


async def nobody_answers(side: Side) -> None:
    """Ask the servers that this database has registered. Takes two seconds when any are registered. Raises
    `CopyRefused`."""
    if not await side.has("nodes") or await side.run(_MARK_SUSPECT) == 0:
        return
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        await asyncio.sleep(0.05)
        if (await side.rows(_KNOWN))[0][0] > 0:
            raise CopyRefused(f"A server is running on {side.place}.", _FIX)
