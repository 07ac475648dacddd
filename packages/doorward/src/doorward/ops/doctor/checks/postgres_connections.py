"""Check of the number of connections to PostgreSQL. Part of `doctor`."""

from __future__ import annotations

from typing import Any, Final

from doorward.adapters.clock import SystemClock
from doorward.ops.doctor.check import Finding, failed, passed
from doorward.settings import Settings

_OTHERS: Final = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
_PROCESSES: Final = "SELECT count(*) FROM nodes WHERE expires_at > $1 AND id NOT LIKE 'doubted %'"


async def connections(connection: Any, settings: Settings) -> Finding:
    """Whether the running processes may open as many connections as they need."""
    most = int(await connection.fetchval("SHOW max_connections"))
    kept = int(await connection.fetchval("SHOW superuser_reserved_connections"))
    there = await connection.fetchval("SELECT to_regclass('nodes') IS NOT NULL")
    running = int(await connection.fetchval(_PROCESSES, SystemClock().now())) if there else 0
    processes = max(running, settings.server.workers)
    # each process: its pool, and one connection for notifications
    wanted = processes * (settings.postgres.pool_size + 1)
    open_now = int(await connection.fetchval(_OTHERS))
    said = f"{processes} process{'es' if processes > 1 else ''} may open {wanted} of {most - kept}; {open_now} are open now"
    if wanted > most - kept:
        return failed(
            f"{said}: under load some requests hear 503",
            "Raise max_connections, lower postgres.pool_size, or put PgBouncer in between.",
        )
    return passed(said)
