"""Does anybody else use a PostgreSQL database that is about to be replaced? Whatever role they have, and whatever stands in between.

Connections are seen by the name that every Doorward gives them; a pooler keeps connections for itself, so behind one the servers are asked:
whose row in `nodes` is doubted makes itself known at its next look, within half a second (`cluster/node_registry.py`).
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
    # a monitor looks in with a role of its own, and is in nobody's way
    " AND (application_name = 'doorward' OR (backend_type = 'client backend' AND usename = session_user))"
)
_THERE: Final = "SELECT to_regclass('nodes')::text"
_DOUBT: Final = (
    "UPDATE nodes SET id = 'doubted ' || md5(random()::text) || ' ' || id WHERE id NOT LIKE 'doubted %'"
)
_KNOWN: Final = "SELECT COUNT(*) FROM nodes WHERE id NOT LIKE 'doubted %'"
_PATIENCE: Final = 2.0
"""Seconds. A server looks every half second; one that does not get to it for so long answers nobody from memory either."""


async def nobody_connected(side: Side) -> None:
    """Raises `CopyRefused` when somebody is."""
    if (others := (await side.rows(_CONNECTED))[0][0]) > 0:
        raise CopyRefused(f"{others} others are connected to {side.place}.", _FIX)


async def nobody_answers(side: Side) -> None:
    """Ask the servers that this database knows of. Takes two seconds when there are traces of any. Raises `CopyRefused`."""
    if (await side.rows(_THERE))[0][0] is None:
        return
    if await side.run(_DOUBT) == 0:
        return
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        await asyncio.sleep(0.05)
        if (await side.rows(_KNOWN))[0][0] > 0:
            raise CopyRefused(f"A server is running on {side.place}.", _FIX)
