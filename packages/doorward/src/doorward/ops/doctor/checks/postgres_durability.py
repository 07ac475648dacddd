"""Checks of what PostgreSQL may lose at a power cut and at a failover. Part of `doctor`."""

from __future__ import annotations

from typing import Any, Final

from doorward.ops.doctor.check import Finding, failed, passed

_DURABLE: Final = ("fsync", "full_page_writes")
_STANDBYS: Final = """
SELECT count(*), count(sync_state), count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')),
  (SELECT count(*) FROM pg_stat_activity WHERE usename = session_user AND wait_event = 'SyncRep'
     AND query_start < clock_timestamp() - interval '1 second')
FROM pg_stat_replication"""


async def durability(connection: Any) -> Finding:
    """Whether an answered commit is on the disk."""
    settings = {key: await connection.fetchval(f"SHOW {key}") for key in (*_DURABLE, "synchronous_commit")}
    off = [key for key in settings if settings[key] == "off"]
    if off:
        return failed(
            f"{', '.join(off)} = off: a power cut forgets what was answered, and a spent token is unspent",
            f"Set {off[0]} = on.",
        )
    isolation: str = await connection.fetchval("SHOW default_transaction_isolation")
    return passed(f"synchronous_commit = {settings['synchronous_commit']}, isolation {isolation}")


async def standby(connection: Any) -> Finding:
    """Whether a standby has every answered commit, and whether commits wait for a standby that is away."""
    synchronous: str = await connection.fetchval("SHOW synchronous_standby_names")
    standbys, told, waited_for, waiting = await connection.fetchrow(_STANDBYS)
    # only some roles may see whether it is the configured standby; every role sees the state of its own commits
    missing = not standbys or (told == standbys and not waited_for)
    if synchronous and (missing or waiting):
        now = f"{waiting} wait right now" if waiting else "every commit waits for it"
        there = "that is none of those connected" if standbys else "none is connected"
        return failed(
            f'{there}, and synchronous_standby_names = "{synchronous}": {now}, and whoever writes hears 503'
            if missing
            else f'synchronous_standby_names = "{synchronous}", and it does not confirm: {now}, and whoever writes hears 503',
            "Start the standby, or empty synchronous_standby_names until it is back.",
        )
    if synchronous:
        return passed(f"{standbys} connected; commits wait for {synchronous}")
    if not standbys:
        return passed("none: what this database loses is in the backup alone")
    return passed(
        f"{standbys} connected, and no commit waits for it: a failover forgets the last moments. Spent refresh tokens are unspent,"
        " revocations and new passwords are lost",
        "Set synchronous_standby_names, with two standbys if writing must go on when one is away.",
    )
